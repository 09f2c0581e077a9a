UNIT += hosts
UNIT_hosts_SRCS = unpriv/milter/hosts.c unpriv/milter/forged.c proto/smtp.c proto/addr.c proto/dname.c proto/text.c
