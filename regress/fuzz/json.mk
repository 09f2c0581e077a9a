FUZZ += json
FUZZ_json_SRCS = proto/json.c proto/text.c
