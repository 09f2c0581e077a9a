UNIT += answers
UNIT_answers_SRCS = unpriv/answers.c proto/arena.c proto/dname.c proto/text.c
