# pyspf-milter: see README. Files of tests are added by regress/*/*.mk.

B		?= build
PREFIX		?= /usr
SYSCONFDIR	?= /etc
CC		?= cc
PKG_CONFIG	?= pkg-config
PKGS		= libseccomp libcap-ng libbsd libunbound libevent_core libidn2

# CI sets CI=true: there a warning is an error.
ifdef CI
WERROR		= -Werror
endif
WARN		= $(WERROR) -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes \
		  -Wshadow -Wpointer-arith -Wcast-qual -Wsign-compare \
		  -Wno-unused-parameter
CET		:= $(shell $(CC) -fcf-protection=full -E -x c /dev/null \
		  >/dev/null 2>&1 && echo -fcf-protection=full)
HARDEN		= -fPIE -fstack-protector-strong -fstack-clash-protection \
		  -D_FORTIFY_SOURCE=2 $(CET) \
		  -fno-strict-aliasing
HARDEN_LD	= -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
OPT		?= -O2 -g
CFLAGS_ALL	= -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) $(HARDEN) $(SAN) \
		  $(PKG_CFLAGS) -DLIBBSD_OVERLAY -isystem /usr/include/bsd \
		  -iquote . $(CFLAGS)
LDFLAGS_ALL	= $(HARDEN_LD) $(SAN) $(LDFLAGS)
PKG_CFLAGS	:= $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
LIBS		:= $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

PROTO_SRCS	= $(wildcard proto/*.c)
CONF_SRCS	= $(wildcard conf/*.c)
DNS_SRCS	= $(wildcard dns/*.c)
MAINS		= privsep/parent/main.c unpriv/worker/policyd_main.c unpriv/spfctl/main.c
UNPRIV_SRCS	= $(filter-out $(MAINS) unpriv/libmilter/libmilter.c \
		  unpriv/shadow/shadow.c,$(wildcard unpriv/*/*.c))
PRIVSEP_SRCS	= $(filter-out $(MAINS),$(wildcard privsep/*/*.c))
COMMON_SRCS	= $(PROTO_SRCS) $(CONF_SRCS) $(DNS_SRCS) $(UNPRIV_SRCS) \
		  $(PRIVSEP_SRCS)
COMMON_OBJS	= $(COMMON_SRCS:%.c=$B/%.o)
PROGS		= $B/pyspf-milter $B/policyd-spf $B/spfctl

all: $(PROGS)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$B/liball.a: $(COMMON_OBJS)
	rm -f $@
	$(AR) rcs $@ $(COMMON_OBJS)

$B/pyspf-milter: $B/privsep/parent/main.o $B/unpriv/libmilter/libmilter.o $B/unpriv/shadow/shadow.o \
    $B/liball.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lmilter -lspf2 -lpthread

$B/policyd-spf: $B/unpriv/worker/policyd_main.o $B/liball.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$B/spfctl: $B/unpriv/spfctl/main.o $B/unpriv/shadow/shadow.o $B/liball.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lspf2

clean:
	rm -rf $B $B-asan

# --- install -----------------------------------------------------------

BINDIR		= $(PREFIX)/bin
MANDIR		= $(PREFIX)/share/man
DOCDIR		= $(PREFIX)/share/doc/pyspf-milter
MILTER_CONF	= $(SYSCONFDIR)/pyspf-milter/pyspf-milter.conf
POLICY_CONF	= $(SYSCONFDIR)/postfix-policyd-spf-python/policyd-spf.conf

# Configuration that is there already stays as it is.
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DOCDIR) \
	    $(DESTDIR)$(dir $(MILTER_CONF)) $(DESTDIR)$(dir $(POLICY_CONF))
	install -m 755 $(PROGS) $(DESTDIR)$(BINDIR)
	install -m 644 README LICENSE $(DESTDIR)$(DOCDIR)
	test -e $(DESTDIR)$(MILTER_CONF) || install -m 644 \
	    conf/files/pyspf-milter.conf $(DESTDIR)$(MILTER_CONF)
	test -e $(DESTDIR)$(POLICY_CONF) || install -m 644 \
	    conf/files/policyd-spf.conf $(DESTDIR)$(POLICY_CONF)
	for p in $(wildcard man/*.[158]); do \
		d=$(DESTDIR)$(MANDIR)/man$${p##*.}; install -d $$d && \
		install -m 644 $$p $$d || exit 1; done
	ln -sf pyspf-milter.conf.5 $(DESTDIR)$(MANDIR)/man5/policyd-spf.conf.5

# --- install: how the system starts it ---------------------------------

SYSTEMDDIR	?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR	?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR	?= $(PREFIX)/lib/tmpfiles.d
INITDIR		?= $(SYSCONFDIR)/init.d
# OpenBSD's way; /etc/rc.d where the system has that
RCDIR		?= $(PREFIX)/share/pyspf-milter/rc.d
UNITS		= $(wildcard systemd/*.service systemd/*.socket \
		  systemd/*.timer)
# The files name the usual places; others are put in as they are installed.
PLACES		= sed -e 's,/usr/bin/\(pyspf-milter\|spfctl\),$(BINDIR)/\1,g' \
		  -e 's,/etc/pyspf-milter/,$(SYSCONFDIR)/pyspf-milter/,g'

install: install-service
install-service:
	install -d $(DESTDIR)$(SYSTEMDDIR) $(DESTDIR)$(SYSUSERSDIR) \
	    $(DESTDIR)$(TMPFILESDIR) $(DESTDIR)$(INITDIR) $(DESTDIR)$(RCDIR)
	put() { $(PLACES) "$$1" >"$(DESTDIR)$$2" && \
	    chmod "$$3" "$(DESTDIR)$$2"; } && \
	for u in $(UNITS); do \
		put $$u $(SYSTEMDDIR)/$${u##*/} 644 || exit 1; done && \
	put systemd/pyspf-milter.sysusers $(SYSUSERSDIR)/pyspf-milter.conf \
	    644 && \
	put systemd/pyspf-milter.tmpfiles $(TMPFILESDIR)/pyspf-milter.conf \
	    644 && \
	put conf/rc/pyspf-milter.init $(INITDIR)/pyspf-milter 755 && \
	put conf/rc/pyspf-milter.rc $(RCDIR)/pyspf-milter 755
.PHONY: install-service

# One page for both files. Not by .so, which readers of one file cannot follow.
install: install-man-link
install-man-link:
	install -d $(DESTDIR)$(MANDIR)/man5
	ln -sf pyspf-milter.conf.5 $(DESTDIR)$(MANDIR)/man5/policyd-spf.conf.5
.PHONY: install-man-link

# --- Debian packages -----------------------------------------------------

VERSION		= 4.0.0
DEB_TREE	= $B/deb/pyspf-milter-$(VERSION)

# The tracked files, with conf/debian as debian/, and an environment of its
# own; the packages are left in $B/deb. What it needs: Build-Depends in
# conf/debian/control.
deb:
	@head -n 1 conf/debian/changelog | grep -q '($(VERSION)-' || { \
	    echo "conf/debian/changelog is not about $(VERSION)" >&2; exit 1; }
	rm -rf $B/deb
	mkdir -p $(DEB_TREE)
	git -c safe.directory='*' ls-files -z >$B/deb/files
	tar -c --null -T $B/deb/files -f - | tar -x -C $(DEB_TREE) -f -
	rm $B/deb/files
	mv $(DEB_TREE)/conf/debian $(DEB_TREE)/debian
	cd $(DEB_TREE) && env -i PATH="$$PATH" LANG=C.UTF-8 \
	    DEB_BUILD_OPTIONS="$(DEB_BUILD_OPTIONS)" \
	    dpkg-buildpackage -us -uc -b
.PHONY: deb

# --- what a newcomer types ---------------------------------------------

# Installs what is missing, builds, and shows a message being judged.
run:
	sh regress/deps.sh build demo
	$(MAKE) all user
	B=$B sh regress/demo/run

# Installs what the tests need, builds twice (as shipped, and with the
# sanitizers), and runs everything that regress/tests lists.
check:
	sh regress/deps.sh check
	$(MAKE) all units suites user
	$(MAKE) B=$B-asan SAN="-fsanitize=address,undefined \
	    -fno-omit-frame-pointer" OPT="-O1 -g" all units suites fuzz-build
	regress/run $B $B-asan

user:
	getent passwd pyspf-milter >/dev/null || useradd --system \
	    --user-group --no-create-home --home-dir /nonexistent \
	    --shell /usr/sbin/nologin pyspf-milter

lint: all
	sh regress/lint.sh $B

# A long run under load; SOAK_SECONDS=600.
soak: all user
	B=$B regress/system/soak.py

bench: all bench-build
	B=$B regress/bench/bench.py

-include $(wildcard regress/*/*.mk)
-include $(shell find $B \( -path $B/deb -o -path $B/chroot \) -prune -o \
    -type f -name '*.d' -print 2>/dev/null)

units: $(UNIT:%=$B/unit/%)

.PHONY: all clean install run check user lint bench soak units suites
