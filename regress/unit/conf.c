/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "regress/unit/check.h"

#define P CONF_POLICY
#define M CONF_MILTER

/* Files that the texts below name. */
/* clang-format off */
static const struct {
	const char *path, *text;
} files[] = {
	{ "/f/hosts", "# c\n10.0.0.1\n\n::1\n2001:db8::/32\n!10.0.0.9 \n" },
	{ "/f/colons", "10.0.0.1:10.0.0.2\n[2001:db8::5]\n" },
	{ "/f/two", "10.0.0.1 x:y\n10.0.0.2 # remark\n" },
	{ "/f/list", "10.0.0.1, 10.0.0.2\n" },
	{ "/f/crlf", "10.0.0.1\r\n10.0.0.2\r\n" },
	{ "/f/empty", "# nothing\n" },
	{ "/f/bad8", "10.0.0.1\n\xff\n" },
	{ "/f/white", "10.0.0.2\n:\xe2\x80\xa8:\n" },
	{ "/f/macros", "daemon_name|VERIFYING\nj\n" },
	{ "/f/meq", "daemon_name|a=b\n" },
	{ "/f/anchor", ". IN DS 20326 8 2 ABCD\n; # = remark\n" },
	{ "/f/users",
	    "# c\n"
	    "Strict@Dest.test,Mail_From_reject=Softfail|TestOnly=0\n"
	    "easy@dest.test,Mail_From_reject=False # c\n"
	    "easy@dest.test,Mail_From_reject=Fail\n"
	    "v=e|rp@dest.test,Reason_Message=per user {spf}\n"
	    "sp@dest.test, HELO_reject = No_Check | Void_Limit = 0\n"
	    "plain@dest.test,\n" },
	{ "/f/man",
	    "postmaster@example.com,Mail_From_reject=No_Check|"
	    "PermError_reject=False|HELO_reject=SPF_Not_Pass|TestOnly=1|"
	    "debugLevel=5|skip_addresses=127.0.0.0/8,::ffff:127.0.0.0//104,"
	    "::1//128|TempError_Defer=False\n"
	    "strict@example.com,PermError_reject=True|"
	    "HELO_reject=SPF_Not_Pass|TempError_Defer=True\n" },
	{ "/f/badusers",
	    "nocomma\n"
	    "noeq@d,foo\n"
	    "two@d,Void_Limit=1=2\n"
	    "badint@d,Void_Limit=x\n"
	    "tail@d,Void_Limit=1|\n"
	    "unknown@d,Foo=1|Void_Limit=7\n"
	    "near@d,Void_Limt=1\n"
	    "not@d,Mock=True|Void_Limit=8\n"
	    "\xff@d,Void_Limit=1\n"
	    ",Void_Limit=1\n"
	    "good@d,Void_Limit=9\n" }
};
/* clang-format on */

static FILE *
open_file(void *arg, const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].path, path) == 0)
			return fmemopen((void *)(uintptr_t)files[i].text,
			    strlen(files[i].text), "r");
	errno = ENOENT;
	return NULL;
}

static const struct conf_reader reader = { open_file, NULL };

#define NONE  '-' /* no message */
#define WARN  'w' /* warnings only */
#define ERROR 'e'

/*
 * A text, the worst message it gives and a part of it, and a line of the
 * effective configuration.
 */
/* clang-format off */
static const struct {
	const char	*name;
	enum conf_program program;
	const char	*text;
	int		 worst;
	const char	*msg;
	const char	*line;
} cases[] = {
	/* spf-engine's grammar. */
	{ "empty", P, "", NONE, NULL, "TestOnly = 1" },
	{ "blanks", P, "\t  TestOnly   =    0  \n", NONE, NULL,
	    "TestOnly = 0" },
	{ "no-newline", P, "TestOnly = 0", NONE, NULL, "TestOnly = 0" },
	{ "crlf", P, "TestOnly = 0\r\ndebugLevel = 2\r\n", NONE, NULL,
	    "debugLevel = 2" },
	{ "cr-alone", P, "TestOnly = 0\rdebugLevel = 2\r", NONE, NULL,
	    "debugLevel = 2" },
	{ "nbsp", P, "TestOnly\xc2\xa0=\xe3\x80\x80" "0\xe2\x80\x83\n", NONE,
	    NULL, "TestOnly = 0" },
	{ "last-wins", P, "TestOnly = 1\nTestOnly = 0\n", NONE, NULL,
	    "TestOnly = 0" },
	{ "comment", P, "Reason_Message = no # comment {url}\n  # x = y\n",
	    NONE, NULL, "Reason_Message = no" },
	{ "no-equals", P, "Mail_From_reject\n", WARN,
	    "t:1: no '=' in \"Mail_From_reject\"", "Mail_From_reject = Fail" },
	{ "two-equals", P, "Reason_Message = see http://x/?a=b\n", WARN,
	    "t:1: Reason_Message: a value cannot contain '='",
	    "Reason_Message = Message {rejectdefer} due to: {spf}. "
	    "Please see {url}" },
	{ "two-equals-unknown", P, "x = a = b\n", WARN,
	    "cannot contain '='", "TestOnly = 1" },
	{ "unknown", P, "\n\nFoo = bar\n", WARN,
	    "t:3: unknown key \"Foo\"", "TestOnly = 1" },
	{ "unknown-near", P, "Mail_from_rejcet = False\n", WARN,
	    "did you mean Mail_From_reject?", "Mail_From_reject = Fail" },
	{ "name-case", P, "testonly = 0\n", WARN, "did you mean TestOnly?",
	    "TestOnly = 1" },
	{ "helo-name-case", P, "helo_reject = False\n", WARN,
	    "did you mean HELO_reject?", "HELO_reject = Fail" },
	{ "empty-name", P, " = 1\n", WARN, "unknown key \"\"",
	    "TestOnly = 1" },
	{ "include", P, "include /etc/foo\n", WARN, "no '='",
	    "TestOnly = 1" },
	{ "bom", P, "\xef\xbb\xbfTestOnly = 0\n", WARN,
	    "t:1: byte order mark", "TestOnly = 0" },
	{ "utf8-comment", P, "# caf\xe9\nTestOnly = 0 # \xff\n", NONE, NULL,
	    "TestOnly = 0" },
	{ "utf8-value", P, "TestOnly = 1\nReason_Message = caf\xe9\n", ERROR,
	    "t:2: the line is not UTF-8 text", NULL },
	{ "utf8-good", P, "Reason_Message = caf\xc3\xa9\n", NONE, NULL,
	    "Reason_Message = caf\xc3\xa9" },
	{ "nul-name", P, "#", NONE, NULL, "TestOnly = 1" },
	{ "control", P, "Reason_Message = a\x01z\n", ERROR,
	    "holds a control character", NULL },
	{ "c1-control", P, "Reason_Message = a\xc2\x9fz\n", ERROR,
	    "holds a control character", NULL },
	{ "tab-inside", P, "Reason_Message = a\tz\n", NONE, NULL,
	    "Reason_Message = a\tz" },
	{ "child-line", P, "@user a@b,TestOnly=0\n@trust_anchor x\n", WARN,
	    "t:2: no '='", "TestOnly = 1" },

	/* Keys of old files. */
	{ "macrolistverify", M, "MacroListVerify = j\n", WARN,
	    "old name of MacroList", "MacroList = j" },
	{ "defaultseedonly", P, "defaultSeedOnly = 0\n", WARN, "deprecated",
	    "TestOnly = 1" },
	{ "inthosts", M, "IntHosts = yes\n", WARN, "has no effect",
	    "InternalHosts = 127.0.0.1" },
	{ "queueid", P, "QueueID = False\n", NONE, NULL,
	    "QueueID = False" },
	{ "queueid-bad", P, "QueueID = maybe\n", WARN,
	    "neither yes nor no", "QueueID = True" },

	/* Numbers: Python's int(). */
	{ "int-forms", P, "Lookup_Time = +1_0\n", NONE, NULL,
	    "Lookup_Time = 10" },
	{ "int-zeros", P, "Lookup_Time = 010\n", NONE, NULL,
	    "Lookup_Time = 10" },
	{ "int-negative", P, "debugLevel = -1\n", NONE, NULL,
	    "debugLevel = -1" },
	{ "int-word", P, "debugLevel = high\n", ERROR,
	    "t:1: debugLevel: \"high\" is not a whole number", NULL },
	{ "int-empty", P, "Void_Limit =\n", ERROR, "not a whole number",
	    NULL },
	{ "int-underscores", P, "Void_Limit = 1__0\n", ERROR,
	    "not a whole number", NULL },
	{ "int-underscore-end", P, "Void_Limit = 1_\n", ERROR,
	    "not a whole number", NULL },
	{ "int-underscore-begin", P, "Void_Limit = _1\n", ERROR,
	    "not a whole number", NULL },
	{ "int-sign", P, "Void_Limit = -\n", ERROR, "not a whole number",
	    NULL },
	{ "int-hex", P, "Void_Limit = 0x2\n", ERROR, "not a whole number",
	    NULL },
	{ "int-huge", P, "TestOnly = 99999999999999999999999\n", WARN,
	    "is taken as 2147483647", "TestOnly = 2147483647" },
	{ "test-only-2", P, "TestOnly = 2\n", NONE, NULL, "TestOnly = 2" },
	{ "lookup-0", P, "Lookup_Time = 0\n", NONE, NULL,
	    "Lookup_Time = 0" },
	{ "lookup-negative", P, "Lookup_Time = -5\n", WARN, "taken as -1",
	    "Lookup_Time = -1" },
	{ "void-negative", P, "Void_Limit = -1\n", WARN, "taken as 0",
	    "Void_Limit = 0" },
	{ "ours-least", M, "DNS_Timeout = 0\n", ERROR,
	    "not within 1 and 60", NULL },
	{ "ours-most", M, "DNS_Timeout = 61\n", ERROR,
	    "not within 1 and 60", NULL },
	{ "ours-good", M, "DNS_Timeout = 60\nWorkers = 64\n", NONE, NULL,
	    "DNS_Timeout = 60" },
	{ "workers-most", M, "Workers = 65\n", ERROR, "1 and 64", NULL },
	{ "cache-most", M, "DNS_Cache = 4097\n", ERROR, "1 and 4096", NULL },
	{ "sample-0", M, "Second_Opinion_Sample = 0\n", ERROR, "1 and 100",
	    NULL },
	{ "ours-foreign", P, "Workers = 65\n", WARN, "1 and 64", NULL },

	/* UMask: octal, unlike in spf-engine. */
	{ "umask-7", M, "UMask = 7\n", NONE, NULL, "UMask = 0007" },
	{ "umask-022", M, "UMask = 022\n", NONE, NULL, "UMask = 0022" },
	{ "umask-0117", M, "UMask = 0117\n", NONE, NULL, "UMask = 0117" },
	{ "umask-22", M, "UMask = 22\n", WARN,
	    "22 is read as octal: octal 0022", "UMask = 0022" },
	{ "umask-18", M, "UMask = 18\n", WARN,
	    "18 is read as decimal: octal 0022", "UMask = 0022" },
	{ "umask-08", M, "UMask = 08\n", ERROR, "not octal", NULL },
	{ "umask-0o7", M, "UMask = 0o7\n", ERROR, "not a number", NULL },
	{ "umask-0777", M, "UMask = 0777\n", NONE, NULL, "UMask = 0777" },
	{ "umask-1000", M, "UMask = 01000\n", ERROR, "0777", NULL },
	{ "umask-999", M, "UMask = 999\n", ERROR, "0777", NULL },
	{ "umask-negative", M, "UMask = -7\n", ERROR, "0777", NULL },
	{ "umask-8", M, "UMask = 8\n", NONE, NULL, "UMask = 0010" },
	{ "umask-foreign", P, "UMask = 999\n", WARN, "0777", NULL },
	{ "umask-foreign-word", P, "UMask = 0o7\n", ERROR, "not a number",
	    NULL },

	/* Switches. */
	{ "true", P, "PermError_reject = True\n", NONE, NULL,
	    "PermError_reject = True" },
	{ "true-lower", P, "PermError_reject = true\n", WARN,
	    "read as yes, unlike spf-engine", "PermError_reject = True" },
	{ "true-on", P, "TempError_Defer = ON\n", WARN, "read as yes",
	    "TempError_Defer = True" },
	{ "false-0", P, "TempError_Defer = 0\n", NONE, NULL,
	    "TempError_Defer = False" },
	{ "bool-other", P, "No_Mail = maybe\n", WARN, "read as no",
	    "No_Mail = False" },
	{ "bool-empty", P, "No_Mail =\n", NONE, NULL, "No_Mail = False" },
	{ "codes-no", P, "SPF_Enhanced_Status_Codes = No\n", NONE, NULL,
	    "SPF_Enhanced_Status_Codes = No" },
	{ "codes-lower", P, "SPF_Enhanced_Status_Codes = no\n", WARN,
	    "read as no", "SPF_Enhanced_Status_Codes = No" },
	{ "hide-yes", P, "Hide_Receiver = Yes\n", NONE, NULL,
	    "Hide_Receiver = Yes" },
	{ "hide-lower", P, "Hide_Receiver = no\n", WARN, "read as no",
	    "Hide_Receiver = No" },
	{ "hide-other", P, "Hide_Receiver = some\n", WARN, "read as yes",
	    "Hide_Receiver = Yes" },
	{ "mock-true", P, "Mock = True\n", NONE, NULL, "Mock = True" },
	{ "mock-false", P, "Mock = False\n", WARN, "read as no", "Mock =" },
	{ "mock-empty", P, "Mock =\n", NONE, NULL, "Mock =" },
	{ "mock-bad", P, "Mock = perhaps\n", ERROR,
	    "neither True nor False", NULL },
	{ "mock-bad-milter", M, "Mock = perhaps\n", WARN,
	    "neither True nor False", "Mock =" },
	{ "ours-bool", M, "Remove_Own_AR = off\n", NONE, NULL,
	    "Remove_Own_AR = no" },
	{ "ours-bool-bad", M, "Skip_Authenticated = x\n", ERROR,
	    "neither yes nor no", NULL },
	{ "ours-bool-empty", M, "Skip_Authenticated =\n", ERROR,
	    "neither yes nor no", NULL },

	/* Choices. */
	{ "reject", P, "HELO_reject = SPF_Not_Pass\n", NONE, NULL,
	    "HELO_reject = SPF_Not_Pass" },
	{ "reject-null", P, "HELO_reject = Null\n", NONE, NULL,
	    "HELO_reject = Null" },
	{ "reject-case", P, "HELO_reject = fail\n", WARN,
	    "\"fail\" is read as Fail", "HELO_reject = Fail" },
	{ "reject-dash", P, "Mail_From_reject = no-check\n", WARN,
	    "is read as No_Check", "Mail_From_reject = No_Check" },
	{ "reject-no", P, "Mail_From_reject = No\n", WARN,
	    "is read as False", "Mail_From_reject = False" },
	{ "reject-other", P, "HELO_reject = bogus\n", WARN, "is not one of",
	    "HELO_reject = bogus" },
	{ "reject-empty", P, "HELO_reject =\n", WARN, "is not one of",
	    "HELO_reject =" },
	{ "reject-mfrom-null", P, "Mail_From_reject = Null\n", WARN,
	    "for HELO_reject", "Mail_From_reject = Null" },
	{ "header-ar", P, "Header_Type = AR\n", NONE, NULL,
	    "Header_Type = AR" },
	{ "header-none", P, "Header_Type = None\n", NONE, NULL,
	    "Header_Type = None" },
	{ "header-case", P, "Header_Type = ar\n", WARN, "is read as AR",
	    "Header_Type = AR" },
	{ "header-long", P, "Header_Type = Received-SPF\n", NONE, NULL,
	    "Header_Type = SPF" },
	{ "header-both", P, "Header_Type = SPF,AR\n", ERROR,
	    "only one header", NULL },
	{ "header-both-milter", M, "Header_Type = SPF,AR\n", WARN,
	    "a milter adds AR only", "Header_Type = AR" },
	{ "header-other", P, "Header_Type = X\n", WARN, "read as SPF",
	    "Header_Type = SPF" },
	{ "header-empty", P, "Header_Type =\n", WARN, "read as SPF",
	    "Header_Type = SPF" },
	{ "frontend", M, "Milter_Frontend = libmilter\n", NONE, NULL,
	    "Milter_Frontend = libmilter" },
	{ "frontend-bad", M, "Milter_Frontend = x\n", ERROR,
	    "is not one of native|libmilter", NULL },
	{ "sandbox", M, "Sandbox = Partial\n", NONE, NULL,
	    "Sandbox = partial" },
	{ "sandbox-bad", M, "Sandbox = no\n", ERROR, "full|partial", NULL },
	{ "logformat", M, "Log_Format = json\n", NONE, NULL,
	    "Log_Format = json" },
	{ "opinion", M, "Second_Opinion = libspf2\n", NONE, NULL,
	    "Second_Opinion = libspf2" },

	/* Texts. */
	{ "id", P, "Authserv_Id = MX.Example.COM\n", NONE, NULL,
	    "Authserv_Id = mx.example.com" },
	{ "id-header", P, "Authserv_Id = HEADER\n", NONE, NULL,
	    "Authserv_Id = header" },
	{ "id-empty", P, "Authserv_Id =\n", WARN, "host's name is taken",
	    NULL },
	{ "id-lower", P, "Authserv_Id = hostname\n", WARN,
	    "is read as HOSTNAME", NULL },
	{ "id-odd", P, "Authserv_Id = a; b\n", WARN, "not a name of a host",
	    "Authserv_Id = a; b" },
	{ "restriction", P, "HELO_pass_restriction = mfrom_ok, x y\n", NONE,
	    NULL, "HELO_pass_restriction = mfrom_ok, x y" },
	{ "restriction-none", P, "HELO_pass_restriction = None\n", WARN,
	    "taken as no value", "HELO_pass_restriction =" },
	{ "restriction-milter", M,
	    "\nMail_From_pass_restriction = permit\n", WARN,
	    "t:2: Mail_From_pass_restriction: has no meaning in a milter",
	    "Mail_From_pass_restriction = permit" },
	{ "restriction-both", M, "HELO_pass_restriction = permit\n"
	    "PolicySocket = inet:10031\n", NONE, NULL,
	    "HELO_pass_restriction = permit" },
	{ "reason", P, "Reason_Message = [{rejectdefer}|{spf!r:>9.4}|{url}]"
	    " {{}}\n", NONE, NULL,
	    "Reason_Message = [{rejectdefer}|{spf!r:>9.4}|{url}] {{}}" },
	{ "reason-empty", P, "Reason_Message =\n", NONE, NULL,
	    "Reason_Message =" },
	{ "reason-unknown", P, "Reason_Message = {foo}\n", WARN,
	    "braces or names", "Reason_Message = {{foo}}" },
	{ "reason-position", P, "Reason_Message = {} {0}\n", WARN,
	    "braces or names", "Reason_Message = {{}} {{0}}" },
	{ "reason-brace", P, "Reason_Message = a } b { c\n", WARN,
	    "braces or names", "Reason_Message = a }} b {{ c" },
	{ "reason-case", P, "Reason_Message = { SPF }\n", WARN,
	    "braces or names", "Reason_Message = {spf}" },
	{ "reason-spec", P, "Reason_Message = {spf:q}{spf!x}{spf:9999}\n",
	    WARN, "braces or names",
	    "Reason_Message = {{spf:q}}{{spf!x}}{{spf:9999}}" },
	{ "reason-nested", P, "Reason_Message = {spf:{url}}\n", WARN,
	    "braces or names", "Reason_Message = {{spf:{url}}}" },
	{ "why", M, "Why_URL = https://x.test/?a={id}&b={ip}\n", NONE, NULL,
	    "Why_URL = https://x.test/?a={id}&b={ip}" },
	{ "why-none", M, "Why_URL = none\n", NONE, NULL, "Why_URL = none" },
	{ "why-empty", M, "Why_URL =\n", NONE, NULL, "Why_URL = none" },
	{ "why-unknown", M, "Why_URL = {spf}\n", WARN, "braces or names",
	    "Why_URL = {{spf}}" },
	{ "pidfile-empty", M, "PidFile =\n", NONE, NULL, "PidFile =" },
	{ "pidfile-none", M, "PidFile = none\n", NONE, NULL, "PidFile =" },
	{ "pidfile-relative", M, "PidFile = run/x\n", ERROR,
	    "not an absolute path", NULL },
	{ "userid", M, "UserID = nobody:nogroup\n", NONE, NULL,
	    "UserID = nobody:nogroup" },
	{ "userid-empty", M, "UserID =\n", ERROR, "user or user:group",
	    NULL },
	{ "userid-colon", M, "UserID = nobody:\n", WARN, "no group",
	    "UserID = nobody" },
	{ "userid-three", M, "UserID = a:b:c\n", ERROR, "user:group", NULL },
	{ "userid-foreign", P, "UserID =\n", WARN, "user:group", NULL },
	{ "peruser-missing", P, "Per_User = text,/f/none\n", WARN,
	    "t:1: Per_User: /f/none: No such file",
	    "Per_User = text,/f/none" },
	{ "peruser-blank", P, "Per_User = text, /f/man\n", WARN,
	    "is read as text,/f/man", "Per_User = text,/f/man" },
	{ "peruser-nocomma", P, "Per_User = text\n", ERROR,
	    "is not text,/path", NULL },
	{ "peruser-type", P, "Per_User = sql,/x\n", ERROR,
	    "is not text,/path", NULL },
	{ "peruser-three", P, "Per_User = text,/x,/y\n", ERROR,
	    "is not text,/path", NULL },
	{ "peruser-milter", M, "Per_User = text\n", WARN,
	    "is not text,/path", "Per_User =" },
	{ "peruser-none", P, "Per_User = None\n", WARN, "no value",
	    "Per_User =" },

	/* Addresses and networks. */
	{ "prospective", P, "Prospective = 192.168.0.4\n", NONE, NULL,
	    "Prospective = 192.168.0.4" },
	{ "prospective-bad", P, "Prospective = mail\n", ERROR,
	    "is not an address", NULL },
	{ "prospective-none", P, "Prospective = None\n", WARN, "no value",
	    "Prospective =" },
	{ "skip-default", P, "", NONE, NULL,
	    "skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1" },
	{ "skip-empty", P, "skip_addresses =\n", WARN, "no network is in it",
	    "skip_addresses = none" },
	{ "skip-none", P, "skip_addresses = none\n", NONE, NULL,
	    "skip_addresses = none" },
	{ "skip-space", P, "skip_addresses = 127.0.0.0/8, ::1\n", WARN,
	    "blanks in the list", "skip_addresses = 127.0.0.0/8,::1" },
	{ "skip-only-space", P, "skip_addresses = 127.0.0.0/8 ::1\n", WARN,
	    "blanks in the list", "skip_addresses = 127.0.0.0/8,::1" },
	{ "skip-trail", P, "skip_addresses = 10.0.0.0/8,\n", WARN,
	    "empty entries", "skip_addresses = 10.0.0.0/8" },
	{ "skip-hostbits", P, "skip_addresses = 192.0.2.1/24,192.0.2.1\n",
	    WARN, "they are cleared",
	    "skip_addresses = 192.0.2.0/24,192.0.2.1" },
	{ "skip-badmask", P, "skip_addresses = 192.0.2.0/33,10.0.0.1\n",
	    WARN, "is not a network, left out", "skip_addresses = 10.0.0.1" },
	{ "skip-leading0", P, "skip_addresses = 192.000.002.0/24\n", WARN,
	    "is not a network", "skip_addresses = none" },
	{ "skip-hostmask", P, "skip_addresses = 192.0.2.0/0.0.0.255\n", NONE,
	    NULL, "skip_addresses = 192.0.2.0/24" },
	{ "skip-netmask", P, "skip_addresses = 10.0.0.0/255.0.0.0\n", NONE,
	    NULL, "skip_addresses = 10.0.0.0/8" },
	{ "skip-slashes", P, "skip_addresses = ::1//128\n", WARN,
	    "with one '/'", "skip_addresses = ::1" },
	{ "whitelist", P, "Whitelist = 192.168.0.0/31,192.168.1.0/30\n",
	    NONE, NULL, "Whitelist = 192.168.0.0/31,192.168.1.0/30" },
	{ "whitelist-empty", P, "Whitelist =\n", NONE, NULL,
	    "Whitelist =" },

	/* Domains. */
	{ "domains", P, "Domain_Whitelist = pobox.com,trusted.org\n", NONE,
	    NULL, "Domain_Whitelist = pobox.com,trusted.org" },
	{ "domains-space", P, "Domain_Whitelist = fail.test, pass.test\n",
	    WARN, "blanks", "Domain_Whitelist = fail.test,pass.test" },
	{ "domains-space-before", P, "Domain_Whitelist = a.test ,b.test\n",
	    WARN, "blanks", "Domain_Whitelist = a.test,b.test" },
	{ "ptr-trail", P, "Domain_Whitelist_PTR = yahoo.test,\n", WARN,
	    "empty entries", "Domain_Whitelist_PTR = yahoo.test" },
	{ "ptr-dot", P, "Domain_Whitelist_PTR = .yahoo.test\n", NONE, NULL,
	    "Domain_Whitelist_PTR = .yahoo.test" },
	{ "ptr-dots", P, "Domain_Whitelist_PTR = ..yahoo.test.\n", WARN,
	    "read as \"yahoo.test\"", "Domain_Whitelist_PTR = yahoo.test" },
	{ "helo-upper", P, "HELO_Whitelist = Relay.test\n", WARN,
	    "read as \"relay.test\"", "HELO_Whitelist = relay.test" },
	{ "domains-upper", P, "Reject_Not_Pass_Domains = AOL.com\n", NONE,
	    NULL, "Reject_Not_Pass_Domains = aol.com" },
	{ "domains-none", P, "Domain_Whitelist = none,\n", WARN,
	    "not a domain", "Domain_Whitelist =" },
	{ "domains-dot", P, "Domain_Whitelist = .,a.test\n", WARN,
	    "not a domain", "Domain_Whitelist = a.test" },

	/* Datasets. */
	{ "hosts", M, "InternalHosts = 192.0.2.0/24,!192.0.2.1, [::1]\n",
	    NONE, NULL, "InternalHosts = 192.0.2.0/24,!192.0.2.1,::1" },
	{ "hosts-csl", M, "InternalHosts = csl:10.0.0.1,192.0.2.1\n", NONE,
	    NULL, "InternalHosts = 10.0.0.1,192.0.2.1" },
	{ "hosts-brackets", M, "InternalHosts = [2001:db8::]/32,![::1]\n",
	    NONE, NULL, "InternalHosts = 2001:db8::/32,!::1" },
	{ "hosts-names", M, "InternalHosts = Mail.Example.test,.sub.test,"
	    "!x.sub.test.\n", NONE, NULL,
	    "InternalHosts = mail.example.test,.sub.test,!x.sub.test" },
	{ "hosts-one-net", M, "InternalHosts = 10.0.0.1/32\n", NONE, NULL,
	    "InternalHosts = 10.0.0.1/32" },
	{ "hosts-hostbits", M, "InternalHosts = 10.0.0.1/8\n", WARN,
	    "they are cleared", "InternalHosts = 10.0.0.0/8" },
	{ "hosts-undotted", M, "InternalHosts = localhost\n", WARN,
	    "without a domain", "InternalHosts = localhost" },
	{ "hosts-undotted-policy", P, "InternalHosts = localhost\n", WARN,
	    "without a domain", NULL },
	{ "hosts-empty", M, "InternalHosts =\n", WARN,
	    "no client is internal", "InternalHosts = csl:" },
	{ "hosts-none", M, "InternalHosts = csl:\n", NONE, NULL,
	    "InternalHosts = csl:" },
	{ "hosts-bad", M, "InternalHosts = 10.0.0.256,10.0.0.1\n", WARN,
	    "left out", "InternalHosts = 10.0.0.1" },
	{ "hosts-bad-not", M, "InternalHosts = 10.0.0.0/8,!10.0.0.256\n",
	    ERROR, "neither a network nor a name", NULL },
	{ "hosts-db", M, "InternalHosts = db:/x\n", WARN, "left out",
	    "InternalHosts = csl:" },
	{ "hosts-file", M, "InternalHosts = /f/hosts\n", NONE, NULL,
	    "InternalHosts = 10.0.0.1,::1,2001:db8::/32,!10.0.0.9" },
	{ "hosts-file-prefix", M, "InternalHosts = file:/f/crlf\n", NONE,
	    NULL, "InternalHosts = 10.0.0.1,10.0.0.2" },
	{ "hosts-file-re", M, "InternalHosts = refile:/f/crlf\n", NONE,
	    NULL, "InternalHosts = 10.0.0.1,10.0.0.2" },
	{ "hosts-file-colons", M, "InternalHosts = /f/colons\n", NONE, NULL,
	    "InternalHosts = 10.0.0.1,10.0.0.2,2001:db8::5" },
	{ "hosts-file-two", M, "InternalHosts = /f/two\n", WARN,
	    "/f/two:1: InternalHosts: only the first word",
	    "InternalHosts = 10.0.0.1,10.0.0.2" },
	{ "hosts-file-list", M, "InternalHosts = /f/list\n", WARN,
	    "each entry counts", "InternalHosts = 10.0.0.1,10.0.0.2" },
	{ "hosts-file-empty", M, "InternalHosts = /f/empty\n", WARN,
	    "has no entries", "InternalHosts = csl:" },
	{ "hosts-file-bad8", M, "InternalHosts = /f/bad8\n", ERROR,
	    "/f/bad8:2: InternalHosts: the line is not UTF-8", NULL },
	{ "hosts-file-missing", M, "InternalHosts = /f/none\n", ERROR,
	    "t:1: InternalHosts: /f/none: No such file", NULL },
	{ "hosts-file-missing-policy", P, "InternalHosts = /f/none\n", WARN,
	    "/f/none: No such file", NULL },
	{ "hosts-file-white", M, "InternalHosts = /f/white\n", NONE, NULL,
	    "InternalHosts = 10.0.0.2" },
	{ "hosts-two-dots", M, "InternalHosts = a.b..,a..b,..a.b,10.0.0.2\n",
	    WARN, "left out", "InternalHosts = 10.0.0.2" },
	{ "hosts-white", M, "InternalHosts = .\xc2\xa0.,10.0.0.2\n", WARN,
	    "left out", "InternalHosts = 10.0.0.2" },
	{ "domains-white", P, "Domain_Whitelist = a.\xc2\xa0.,b.test\n",
	    WARN, "not a domain", "Domain_Whitelist = b.test" },
	{ "userid-white", M, "UserID = a\xc2\xa0:\n", ERROR,
	    "user or user:group", NULL },
	{ "macros", M, "MacroList = daemon_name|a|smtpd|b, auth_type\n",
	    NONE, NULL, "MacroList = daemon_name|a|smtpd|b,auth_type" },
	{ "macros-empty", M, "MacroList =\n", NONE, NULL, "MacroList =" },
	{ "macros-braces", M, "MacroList = {daemon_name}|x\n", WARN,
	    "without braces", "MacroList = daemon_name|x" },
	{ "macros-bad", M, "MacroList = a b|x\n", ERROR, "name[|value...]",
	    NULL },
	{ "macros-file", M, "MacroList = /f/macros\n", NONE, NULL,
	    "MacroList = daemon_name|VERIFYING,j" },
	{ "macros-file-equals", M, "MacroList = /f/meq\n", ERROR,
	    "name[|value...]", NULL },

	/* Servers and the trust anchor. */
	{ "servers", M, "Nameservers = 127.0.0.1@5353, ::1,[2001:db8::1]@54"
	    "\n", NONE, NULL,
	    "Nameservers = 127.0.0.1@5353,::1,2001:db8::1@54" },
	{ "servers-empty", M, "Nameservers =\n", NONE, NULL,
	    "Nameservers =" },
	{ "servers-name", M, "Nameservers = ns.test\n", ERROR,
	    "is not address[@port]", NULL },
	{ "servers-port", M, "Nameservers = 127.0.0.1@0\n", ERROR,
	    "is not address[@port]", NULL },
	{ "servers-port-empty", M, "Nameservers = 127.0.0.1@\n", ERROR,
	    "is not address[@port]", NULL },
	{ "servers-colon", M, "Nameservers = 127.0.0.1:53\n", ERROR,
	    "is not address[@port]", NULL },
	{ "servers-many", M, "Nameservers = ::1,::2,::3,::4,::5,::6,::7,::8,"
	    "::9\n", ERROR, "more than 8", NULL },
	{ "anchor", M, "Trust_Anchor = /f/anchor\n", NONE, NULL,
	    "Trust_Anchor = /f/anchor" },
	{ "anchor-missing", M, "Trust_Anchor = /f/none\n", ERROR,
	    "/f/none: No such file", NULL },

	/* Sockets; more below. */
	{ "socket-postfix", M, "Socket = inet:localhost:8893\n", NONE, NULL,
	    "Socket = inet:8893@localhost" },
	{ "socket-bad", M, "Socket = foo:bar\n", ERROR,
	    "t:1: Socket: \"foo:bar\": is none of", NULL },
	{ "socket-empty", M, "Socket =\n", ERROR, "is empty", NULL },
	{ "socket-foreign", P, "Socket = foo:bar\n", WARN, "is none of",
	    NULL },
	{ "policy-none", M, "", NONE, NULL, "PolicySocket = none" },
	{ "control-inet", M, "ControlSocket = inet:1\n", ERROR,
	    "not a UNIX socket", NULL }
};
/* clang-format on */

static int
has_line(const char *text, const char *line)
{
	const char *p = text;
	size_t n = strlen(line);

	for (; p != NULL && *p != '\0'; p = strchr(p, '\n'), p += p != NULL)
		if (strncmp(p, line, n) == 0 && p[n] == '\n')
			return 1;
	return 0;
}

static int
has_msg(const struct conf_msgs *ms, const char *part, char **all)
{
	size_t i;
	char *s, *old;
	int found = 0;

	*all = strdup("");
	for (i = 0; i < ms->n; i++) {
		s = conf_msg_text("t", &ms->v[i]);
		if (part != NULL && strstr(s, part) != NULL)
			found = 1;
		old = *all;
		if (asprintf(all, "%s%s\n", old, s) == -1)
			abort();
		free(old);
		free(s);
	}
	return found;
}

/* 1 when what is printed reads back to the same. */
static int
round_trip(const struct conf *c, int child)
{
	struct conf_msgs ms;
	struct conf *d;
	char *a, *b = NULL;
	int ok;

	a = conf_print(c, child);
	d = conf_parse(c->program, a, strlen(a),
	    child ? CONF_NAME_CHILD : "printed", &reader, &ms);
	if (d != NULL)
		b = conf_print(d, child);
	ok = d != NULL && strcmp(a, b) == 0 && (!child || ms.n == 0);
	if (!ok)
		printf("--- %d\n%s---\n%s---\n", child, a, b ? b : "refused");
	free(a);
	free(b);
	conf_free(d);
	conf_msgs_free(&ms);
	return ok;
}

static void
test_cases(void)
{
	struct conf_msgs ms;
	struct conf *c;
	char *text, *all;
	size_t i;
	int worst, found;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c = conf_parse(cases[i].program, cases[i].text,
		    strlen(cases[i].text), "t", &reader, &ms);
		worst = ms.errors != 0 ? ERROR : ms.n != 0 ? WARN : NONE;
		found = has_msg(&ms, cases[i].msg, &all);
		text = c != NULL ? conf_print(c, 1) : strdup("");
		check(cases[i].name,
		    worst == cases[i].worst &&
			(c == NULL) == (worst == ERROR) &&
			(cases[i].msg == NULL || found) &&
			(cases[i].line == NULL ||
			    has_line(text, cases[i].line)) &&
			(c == NULL || (round_trip(c, 0) && round_trip(c, 1))),
		    "worst %c, messages:\n%seffective:\n%s", worst, all, text);
		free(text);
		free(all);
		conf_free(c);
		conf_msgs_free(&ms);
	}
}

/* clang-format off */
static const struct {
	const char *text, *canon, *why;		/* canon NULL: refused */
} sockets[] = {
	{ "inet:8893", "inet:8893", NULL },
	{ "inet:8893@localhost", "inet:8893@localhost", NULL },
	{ "inet:8893@127.0.0.1", "inet:8893@127.0.0.1", NULL },
	{ "inet:localhost:8893", "inet:8893@localhost", NULL },
	{ "inet:127.0.0.1:8893", "inet:8893@127.0.0.1", NULL },
	{ "INET:8893", "inet:8893", NULL },
	{ "inet6:8893", "inet6:8893", NULL },
	{ "inet6:8893@::1", "inet6:8893@[::1]", NULL },
	{ "inet6:8893@[::1]", "inet6:8893@[::1]", NULL },
	{ "inet6:[::1]:8893", "inet6:8893@[::1]", NULL },
	{ "inet6:localhost:8893", "inet6:8893@localhost", NULL },
	{ "unix:/run/x", "local:/run/x", NULL },
	{ "local:/run/x", "local:/run/x", NULL },
	{ "local: /run/x", "local:/run/x", NULL },
	{ "/run/x", "local:/run/x", NULL },
	{ "none", "none", NULL },
	{ "", NULL, "empty" }, { "run/x", NULL, "none of" },
	{ "local:", NULL, "begins with /" },
	{ "local:x", NULL, "begins with /" },
	{ "inet6:::1:8893", NULL, "ambiguous" },
	{ "inet:10:8893", NULL, "ambiguous" },
	{ "inet:8893:localhost", NULL, "port@host" },
	{ "inet:localhost@8893", NULL, "before '@'" },
	{ "inet:smtp", NULL, "number" }, { "inet:smtp@x", NULL, "number" },
	{ "inet:x:smtp", NULL, "number" }, { "inet:0", NULL, "number" },
	{ "inet:65536", NULL, "number" }, { "inet:", NULL, "number" },
	{ "inet:1@", NULL, "host" }, { "inet:1@a b", NULL, "host" },
	{ "inet:1@::1", NULL, "inet6:" }, { "inet:a:b:1", NULL, "colons" },
	{ "inet6:1@127.0.0.1", NULL, "inet:" },
	{ "foo:bar", NULL, "none of" }
};
/* clang-format on */

static void
test_sockets(void)
{
	struct conf_socket so;
	char name[64], path[256], *canon;
	const char *why;
	size_t i;
	int rv;

	for (i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		rv = conf_socket_parse(&so, sockets[i].text, &why);
		canon = rv == 0 ? conf_socket_text(&so) : NULL;
		snprintf(name, sizeof(name), "socket:%s", sockets[i].text);
		check(name,
		    sockets[i].canon == NULL ?
			rv == -1 && why != NULL &&
			    strstr(why, sockets[i].why) != NULL :
			rv == 0 && strcmp(canon, sockets[i].canon) == 0,
		    "%s %s", canon ? canon : "", why ? why : "");
		free(canon);
		if (rv == 0)
			conf_socket_free(&so);
	}
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	check("socket-too-long", conf_socket_parse(&so, path, &why) == -1);
	path[107] = '\0';
	check("socket-just-fits", conf_socket_parse(&so, path, &why) == 0);
	conf_socket_free(&so);
}

static struct conf *
parse(enum conf_program program, const char *text, struct conf_msgs *ms)
{
	return conf_parse(program, text, strlen(text), "t", &reader, ms);
}

static void
test_users(void)
{
	struct conf_msgs ms;
	struct conf *c, *d;
	const struct conf *u;
	char *all, *text;

	c = parse(P, "Per_User = text,/f/users\nVoid_Limit = 5\n", &ms);
	has_msg(&ms, NULL, &all);
	check("user-load", c != NULL && c->users.n == 5, "%s", all);
	u = conf_for(c, "STRICT@dest.TEST");
	check("user-case",
	    u != c && u->mail_from_reject == REJECT_SOFTFAIL &&
		u->test_only == 0);
	check("user-shares",
	    u->void_limit == 5 && u->reason_message == c->reason_message);
	check("user-first",
	    conf_for(c, "easy@dest.test")->mail_from_reject == REJECT_FALSE &&
		strstr(all, "/f/users:4: ") != NULL,
	    "%s", all);
	check("user-equals",
	    strcmp(conf_for(c, "v=e|rp@dest.test")->reason_message,
		"per user {spf}") == 0);
	u = conf_for(c, "sp@dest.test");
	check("user-blanks",
	    u->helo_reject == REJECT_NO_CHECK && u->void_limit == 0 &&
		strstr(all, "/f/users:6: blanks") != NULL,
	    "%s", all);
	check("user-plain", conf_for(c, "plain@dest.test") != c);
	check("user-none",
	    conf_for(c, "dest.test") == c && conf_for(c, "") == c);
	text = conf_print(c, 1);
	check("user-printed",
	    has_line(text,
		"@user strict@dest.test,"
		"TestOnly=0|Mail_From_reject=Softfail"),
	    "%s", text);
	d = conf_parse(P, text, strlen(text), CONF_NAME_CHILD, NULL,
	    &(struct conf_msgs){ 0 });
	check("user-child",
	    d != NULL && d->users.n == 5 &&
		conf_for(d, "strict@dest.test")->mail_from_reject ==
		    REJECT_SOFTFAIL);
	check("user-round", round_trip(c, 0) && round_trip(c, 1));
	free(text);
	free(all);
	conf_free(d);
	conf_free(c);
	conf_msgs_free(&ms);

	c = parse(P, "Per_User = text,/f/man\n", &ms);
	u = conf_for(c, "postmaster@example.com");
	check("user-manual",
	    ms.errors == 0 && c->users.n == 2 && u->debug_level == 5 &&
		u->skip_addresses.n == 3 &&
		u->mail_from_reject == REJECT_NO_CHECK && round_trip(c, 1));
	conf_free(c);
	conf_msgs_free(&ms);

	c = parse(P, "Per_User = text,/f/badusers\n", &ms);
	has_msg(&ms, NULL, &all);
	check("user-bad-lines", c != NULL && c->users.n == 4, "%zu %s",
	    c != NULL ? c->users.n : 0, all);
	check("user-after-bad", conf_for(c, "good@d")->void_limit == 9);
	check("user-unknown-key", conf_for(c, "unknown@d")->void_limit == 7);
	check("user-not-here",
	    conf_for(c, "not@d")->void_limit == 8 &&
		!conf_for(c, "not@d")->mock &&
		strstr(all, "Mock: cannot be set by recipient") != NULL);
	check("user-bad-value",
	    conf_for(c, "badint@d") == c &&
		strstr(all, "/f/badusers:4: Void_Limit: ") != NULL,
	    "%s", all);
	check("user-near", strstr(all, "did you mean Void_Limit?") != NULL);
	free(all);
	conf_free(c);
	conf_msgs_free(&ms);
}

/* Many recipients: time and memory stay small. */
static void
test_many_users(void)
{
	struct conf_msgs ms;
	struct conf *c, *d;
	char *text, *full, key[32];
	size_t n, i, bad = 0;
	FILE *f;

	c = conf_new(P);
	text = conf_print(c, 1);
	conf_free(c);
	if ((f = open_memstream(&full, &n)) == NULL)
		abort();
	fputs(text, f);
	for (i = 0; i < 10000; i++)
		fprintf(f,
		    "@user u%zu@example.test,Void_Limit=%zu|"
		    "HELO_reject=False\n",
		    i, i % 100);
	fclose(f);
	d = conf_parse(P, full, n, CONF_NAME_CHILD, NULL, &ms);
	for (i = 0; d != NULL && i < 10000; i++) {
		snprintf(key, sizeof(key), "u%zu@example.test", i);
		if (conf_for(d, key)->void_limit != (int)(i % 100))
			bad++;
	}
	check("user-10000", d != NULL && d->users.n == 10000 && bad == 0);
	check("user-10000-round", d != NULL && round_trip(d, 1));
	conf_free(d);
	conf_msgs_free(&ms);
	free(text);
	free(full);
}

static void
test_child(void)
{
	static const char late[] = "@user a@b,Void_Limit=1\n"
				   "Reason_Message = later\n@trust_anchor x\n";
	struct conf_msgs ms;
	struct conf *c, *d;
	char *text;

	c = parse(M, "Trust_Anchor = /f/anchor\n", &ms);
	check("anchor-text",
	    c != NULL &&
		strcmp(c->trust_anchor_text,
		    ". IN DS 20326 8 2 ABCD\n; # = remark\n") == 0);
	text = conf_print(c, 1);
	d = conf_parse(M, text, strlen(text), CONF_NAME_CHILD, NULL,
	    &(struct conf_msgs){ 0 });
	check("anchor-child",
	    d != NULL &&
		strcmp(d->trust_anchor_text, c->trust_anchor_text) == 0 &&
		strcmp(d->trust_anchor, "/f/anchor") == 0);
	free(text);
	conf_free(d);
	conf_free(c);
	conf_msgs_free(&ms);

	/* An entry shares settings that come after it. */
	c = conf_parse(M, late, sizeof(late) - 1, CONF_NAME_CHILD, NULL, &ms);
	check("child-order",
	    c != NULL && conf_for(c, "a@b") != c &&
		conf_for(c, "a@b")->reason_message == c->reason_message &&
		conf_for(c, "a@b")->trust_anchor_text == c->trust_anchor_text);
	conf_free(c);
	conf_msgs_free(&ms);
}

static void
test_table(void)
{
	const struct conf_key *k;
	struct conf_msgs ms;
	struct conf *c;
	char host[256] = "", *text, *line;
	size_t i, n = 0;

	for (i = 0; (k = conf_key_at(i)) != NULL; i++) {
		if (asprintf(&text, "%s = %s\n", k->name, k->def) == -1)
			abort();
		c = parse(M, text, &ms);
		check(k->name,
		    c != NULL && k->help[0] != '\0' &&
			(k->programs & ~(unsigned int)(M | P)) == 0 &&
			k->programs != 0 && (!k->ours || !k->per_user));
		conf_free(c);
		conf_msgs_free(&ms);
		free(text);
		n++;
	}
	check("keys", n == 49, "%zu", n);
	c = conf_new(M);
	text = conf_print(c, 0);
	if (gethostname(host, sizeof(host) - 1) == -1)
		abort();
	for (i = 0; host[i] != '\0'; i++)
		if (host[i] >= 'A' && host[i] <= 'Z')
			host[i] += 'a' - 'A';
	if (asprintf(&line, "Authserv_Id = %s", host) == -1)
		abort();
	check("id-hostname", has_line(text, line), "%s", line);
	check("why-default",
	    strcmp(c->why_url,
		"http://www.openspf.net/Why?s={scope};id={id};ip={ip};r={rcpt}") ==
		0);
	check("print-milter", strstr(text, "\nSocket = ") != NULL);
	free(text);
	free(line);
	conf_free(c);
	c = conf_new(P);
	text = conf_print(c, 0);
	check("print-policy",
	    strstr(text, "\nSocket = ") == NULL &&
		strstr(text, "\nPer_User =") != NULL);
	free(text);
	conf_free(c);
}

static void
test_load(void)
{
	static const char *const shipped[] = { "conf/files/pyspf-milter.conf",
		"conf/files/policyd-spf.conf",
		"/etc/pyspf-milter/pyspf-milter.conf",
		"/etc/postfix-policyd-spf-python/policyd-spf.conf",
		"regress/conf/debian-pyspf-milter.conf",
		"regress/conf/debian-policyd-spf.conf",
		"regress/conf/manual-policyd-spf.conf" };
	char dir[] = "/tmp/conf-test.XXXXXX", path[64], *all, *s;
	struct conf_msgs ms;
	struct conf *c;
	size_t i;
	FILE *f;

	c = conf_load(M, "/f/none", 1, &reader, &ms);
	check("load-missing-named", c == NULL && ms.errors == 1);
	conf_msgs_free(&ms);
	c = conf_load(M, "/f/none", 0, &reader, &ms);
	check("load-missing-default",
	    c != NULL && ms.errors == 0 && ms.n == 1 &&
		strcmp(c->authserv_id, "HOSTNAME") != 0 &&
		c->internal_hosts.n == 1);
	conf_free(c);
	conf_msgs_free(&ms);
	if (mkdtemp(dir) == NULL)
		abort();
	c = conf_load(M, dir, 1, NULL, &ms);
	s = ms.n == 1 ? conf_msg_text(dir, &ms.v[0]) : strdup("");
	check("load-directory",
	    c == NULL && strstr(s, "Is a directory") != NULL, "%s", s);
	free(s);
	conf_msgs_free(&ms);
	c = conf_load(M, "/dev/zero", 1, NULL, &ms);
	check("load-device", c == NULL && ms.errors == 1);
	conf_msgs_free(&ms);
	snprintf(path, sizeof(path), "%s/big", dir);
	if ((f = fopen(path, "w")) == NULL)
		abort();
	for (i = 0; i < CONF_FILE_MAX / 2; i++)
		fputs("#\n", f);
	fclose(f);
	c = conf_load(M, path, 1, NULL, &ms);
	check("load-largest", c != NULL && ms.n == 0);
	conf_free(c);
	conf_msgs_free(&ms);
	if ((f = fopen(path, "a")) == NULL)
		abort();
	fputs("\n", f);
	fclose(f);
	c = conf_load(M, path, 1, NULL, &ms);
	check("load-too-large", c == NULL && ms.errors == 1);
	conf_msgs_free(&ms);
	unlink(path);
	rmdir(dir);

	for (i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
		if (access(shipped[i], R_OK) == -1) {
			if (shipped[i][0] == '/')
				printf("skip load:%s - not there\n",
				    shipped[i]);
			else
				check(shipped[i], 0, "missing");
			continue;
		}
		c = conf_load(strstr(shipped[i], "policyd") != NULL ? P : M,
		    shipped[i], 1, NULL, &ms);
		has_msg(&ms, NULL, &all);
		check(shipped[i],
		    c != NULL && ms.n == 0 && round_trip(c, 0) &&
			round_trip(c, 1),
		    "%s", all);
		free(all);
		conf_free(c);
		conf_msgs_free(&ms);
	}
}

/* The sample that Debian ships compressed. */
static void
test_sample(void)
{
	static const char name[] = "load:policyd-spf.conf.commented";
	static const char path[] =
	    "/usr/share/doc/"
	    "postfix-policyd-spf-python/policyd-spf.conf.commented.gz";
	static char text[65536];
	struct conf_msgs ms;
	struct conf *c;
	char *all;
	size_t n;
	FILE *f;

	if (access(path, R_OK) == -1 ||
	    (f = popen("exec zcat "
		       "/usr/share/doc/postfix-policyd-spf-python/"
		       "policyd-spf.conf.commented.gz",
		 "r")) == NULL) {
		printf("skip %s - not there\n", name);
		return;
	}
	n = fread(text, 1, sizeof(text), f);
	pclose(f);
	c = conf_parse(P, text, n, "t", &reader, &ms);
	has_msg(&ms, NULL, &all);
	check(name,
	    n > 1000 && c != NULL && ms.n == 0 && c->hide_receiver &&
		strcmp(c->authserv_id, "header") == 0,
	    "%zu %s", n, all);
	free(all);
	conf_free(c);
	conf_msgs_free(&ms);
}

static void
test_flood(void)
{
	struct conf_msgs ms;
	struct conf *c;
	char *text;
	size_t n, i;
	FILE *f;

	if ((f = open_memstream(&text, &n)) == NULL)
		abort();
	for (i = 0; i < 100000; i++)
		fputs("x = 1\n", f);
	fputs("Void_Limit = x\n", f);
	fclose(f);
	c = conf_parse(M, text, n, "t", &reader, &ms);
	check("flood",
	    c == NULL && ms.n == CONF_MSGS_MAX + 1 && ms.errors == 1 &&
		ms.v[CONF_MSGS_MAX].error == 1 &&
		ms.v[CONF_MSGS_MAX].line == 100001);
	conf_msgs_free(&ms);
	free(text);
}

/* clang-format off */
static const struct {
	const char *name, *text, *servers;
} resolvs[] = {
	{ "resolv", "# x\nnameserver 192.0.2.1\nsearch a.test\n"
	    "nameserver\t::1\noptions ndots:3\n", "192.0.2.1,::1" },
	{ "resolv-empty", "", "127.0.0.1" },
	{ "resolv-comment", "#nameserver 192.0.2.1\n;nameserver ::1\n",
	    "127.0.0.1" },
	{ "resolv-scope", "nameserver fe80::1%eth0\nnameserver ::2\n",
	    "::2" },
	{ "resolv-trail", "nameserver 192.0.2.1 # home\n", "192.0.2.1" },
	{ "resolv-bad", "nameserver x\nnameserver\nnameserver \n"
	    "nameservers ::3\n", "127.0.0.1" },
	{ "resolv-many", "nameserver ::1\nnameserver ::2\nnameserver ::3\n"
	    "nameserver ::4\nnameserver ::5\nnameserver ::6\n"
	    "nameserver ::7\nnameserver ::8\nnameserver ::9\n",
	    "::1,::2,::3,::4,::5,::6,::7,::8" },
	{ "resolv-no-newline", "nameserver 192.0.2.7", "192.0.2.7" }
};
/* clang-format on */

static void
test_resolvconf(void)
{
	struct conf_servers l = { NULL, 0 };
	char buf[ADDR_STRLEN], all[512];
	size_t i, j;

	for (i = 0; i < sizeof(resolvs) / sizeof(resolvs[0]); i++) {
		conf_resolvconf(resolvs[i].text, strlen(resolvs[i].text), &l);
		all[0] = '\0';
		for (j = 0; j < l.n; j++) {
			if (j != 0)
				strlcat(all, ",", sizeof(all));
			strlcat(all,
			    addr_format(&l.v[j].addr, buf, sizeof(buf)),
			    sizeof(all));
		}
		check(resolvs[i].name,
		    strcmp(all, resolvs[i].servers) == 0 && l.v[0].port == 53,
		    "%s", all);
	}
	conf_servers_free(&l);
}

/* The shipped file has each key of its program with its default. */
static void
test_shipped(enum conf_program program, const char *path)
{
	static char text[65536], name[128];
	const struct conf_key *k;
	struct conf_msgs ms;
	struct conf *c, *d;
	char *line, *p, *a, *b;
	size_t n, i, lacks = 0;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		abort();
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	for (i = 0; (k = conf_key_at(i)) != NULL; i++) {
		if ((k->programs & program) == 0)
			continue;
		if (asprintf(&line, "#%s =%s%s", k->name,
			*k->def != '\0' ? " " : "", k->def) == -1)
			abort();
		if (!has_line(text, line)) {
			printf("%s lacks %s\n", path, line);
			lacks++;
		}
		free(line);
	}
	snprintf(name, sizeof(name), "complete:%s", path);
	check(name, lacks == 0, "%zu keys", lacks);
	/* Turn "#Key" into a setting; "# Word" stays a comment. */
	for (p = text; (p = strchr(p, '#')) != NULL; p++)
		if (p[1] != ' ')
			*p = ' ';
	c = conf_parse(program, text, n, "t", &reader, &ms);
	d = conf_new(program);
	a = c != NULL ? conf_print(c, 1) : strdup("refused");
	b = conf_print(d, 1);
	snprintf(name, sizeof(name), "defaults:%s", path);
	check(name, strcmp(a, b) == 0, "%s", a);
	free(a);
	free(b);
	conf_free(c);
	conf_free(d);
	conf_msgs_free(&ms);
}

static void
test_nul(void)
{
	static const char text[] = "TestOnly = 0\nVoid_Limit = 1\0002\n";
	struct conf_msgs ms;
	struct conf *c;

	c = conf_parse(P, text, sizeof(text) - 1, "t", &reader, &ms);
	check("nul", c == NULL && ms.errors == 1 && ms.v[0].line == 2);
	conf_msgs_free(&ms);
}

int
main(void)
{
	test_cases();
	test_nul();
	test_sockets();
	test_users();
	test_many_users();
	test_child();
	test_table();
	test_load();
	test_sample();
	test_shipped(M, "conf/files/pyspf-milter.conf");
	test_shipped(P, "conf/files/policyd-spf.conf");
	test_flood();
	test_resolvconf();
	return check_exit();
}
