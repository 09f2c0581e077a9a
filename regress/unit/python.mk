UNIT += python
UNIT_python_SRCS = proto/python.c
