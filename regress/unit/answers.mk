UNIT += answers
UNIT_answers_SRCS = unpriv/spf/answers.c proto/arena.c proto/dname.c proto/text.c
