# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# "make help" prints the comments that begin with two number signs.

VERSION		= 4.0.0
B		?= build
PREFIX		?= /usr
SYSCONFDIR	?= /etc
CC		?= cc
PKG_CONFIG	?= pkg-config
OPT		?= -O2 -g

## make			builds build/pyspf-milter, policyd-spf and spfctl;
##			B=FOLDER instead of build, V=1 shows the commands
all: programs

## make help		prints this
help:
	@sed -n 's/^## \{0,1\}//p' Makefile regress/regress.mk

# --- compiler and libraries ----------------------------------------------

PKGS		= libseccomp libcap-ng libbsd-overlay libunbound \
		  libevent_core libidn2
# --cflags of libunbound would want what its own library is built with.
PKG_CFLAGS	:= $(shell $(PKG_CONFIG) --cflags libbsd-overlay 2>/dev/null)
LIBS		:= $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

# CI sets CI=true: there a warning is an error.
WARN		= $(if $(CI),-Werror) -Wall -Wextra -Wstrict-prototypes \
		  -Wmissing-prototypes -Wshadow -Wpointer-arith -Wcast-qual \
		  -Wsign-compare -Wno-unused-parameter
CET		:= $(shell $(CC) -fcf-protection=full -E -x c /dev/null \
		  >/dev/null 2>&1 && echo -fcf-protection=full)
HARDEN		= -fPIE -fstack-protector-strong -fstack-clash-protection \
		  -D_FORTIFY_SOURCE=2 $(CET) -fno-strict-aliasing
HARDEN_LD	= -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
CFLAGS_ALL	= -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) $(HARDEN) $(SAN) \
		  $(PKG_CFLAGS) -iquote . $(CFLAGS)
LDFLAGS_ALL	= $(HARDEN_LD) $(SAN) $(LDFLAGS)

# --- build ---------------------------------------------------------------

PROGS		= $B/pyspf-milter $B/policyd-spf $B/spfctl
MAINS		= privsep/parent/main.c unpriv/worker/policyd_main.c \
		  unpriv/spfctl/main.c
LIB_SRCS	= $(filter-out $(MAINS),$(foreach d,proto conf dns privsep/* \
		  unpriv/*,$(wildcard $d/*.c)))

Q		= $(if $(V),,@)
say		= $(if $(V),,@echo "$1 $2")
define link
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(filter %.a,$^) $1
endef
define archive
	$(call say,AR,$@)
	$Qrm -f $@
	$Q$(AR) rcs $@ $^
endef

programs: $(PROGS)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$B/liball.a: $(LIB_SRCS:%.c=$B/%.o)
	$(archive)

$B/pyspf-milter: $B/privsep/parent/main.o $B/liball.a
	$(call link,$(LIBS) -lmilter -lspf2 -lpthread)

$B/policyd-spf: $B/unpriv/worker/policyd_main.o $B/liball.a
	$(call link,$(LIBS))

$B/spfctl: $B/unpriv/spfctl/main.o $B/liball.a
	$(call link,$(LIBS) -lspf2)

## make clean		removes what was built
clean:
	rm -rf $B $B-asan

# --- install -------------------------------------------------------------

BINDIR		= $(PREFIX)/bin
MANDIR		= $(PREFIX)/share/man
DOCDIR		= $(PREFIX)/share/doc/pyspf-milter
SYSTEMDDIR	?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR	?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR	?= $(PREFIX)/lib/tmpfiles.d
INITDIR		?= $(SYSCONFDIR)/init.d
# OpenBSD's way; /etc/rc.d where the system has that
RCDIR		?= $(PREFIX)/share/pyspf-milter/rc.d
MILTER_CONF	= $(SYSCONFDIR)/pyspf-milter/pyspf-milter.conf
POLICY_CONF	= $(SYSCONFDIR)/postfix-policyd-spf-python/policyd-spf.conf

# Rows of SOURCE:MODE:TARGET, for install and uninstall.
FILES		= $(foreach p,$(PROGS),$p:755:$(BINDIR)/$(notdir $p)) \
		  $(foreach m,$(wildcard man/*.[158]),\
		  $m:644:$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
		  README:644:$(DOCDIR)/README LICENSE:644:$(DOCDIR)/LICENSE
CONF_FILES	= conf/files/pyspf-milter.conf:644:$(MILTER_CONF) \
		  conf/files/policyd-spf.conf:644:$(POLICY_CONF)
UNITS		= $(wildcard systemd/*.service systemd/*.socket \
		  systemd/*.timer)
SERVICE_FILES	= $(foreach u,$(UNITS),$u:644:$(SYSTEMDDIR)/$(notdir $u)) \
	systemd/pyspf-milter.sysusers:644:$(SYSUSERSDIR)/pyspf-milter.conf \
	systemd/pyspf-milter.tmpfiles:644:$(TMPFILESDIR)/pyspf-milter.conf \
	conf/rc/pyspf-milter.init:755:$(INITDIR)/pyspf-milter \
	conf/rc/pyspf-milter.rc:755:$(RCDIR)/pyspf-milter
# One page for both files. Not by .so, which readers of one file cannot follow.
MAN_LINK	= $(MANDIR)/man5/policyd-spf.conf.5
# The files name the usual places; others are put in as they are installed.
PLACES		= sed -e 's,/usr/bin/\(pyspf-milter\|spfctl\),$(BINDIR)/\1,g' \
		  -e 's,/etc/pyspf-milter/,$(SYSCONFDIR)/pyspf-milter/,g'

# $(call each,ROWS,COMMAND): COMMAND has the row as $$from, $$mode and $$to.
each		= @printf '%s\n' $1 | while IFS=: read -r from mode to; do \
		  to="$(DESTDIR)$$to"; $2 || exit 1; done

## make install		honours DESTDIR, PREFIX, SYSCONFDIR and other folders of
##			the Makefile; keeps configuration that is there
install: all install-service
	$(call each,$(FILES),install -D -m $$mode $$from "$$to")
	$(call each,$(CONF_FILES),test -e "$$to" || \
	    install -D -m $$mode $$from "$$to")
	ln -sf pyspf-milter.conf.5 $(DESTDIR)$(MAN_LINK)

## make install-service	only the systemd units and rc scripts
install-service:
	$(call each,$(SERVICE_FILES),mkdir -p "$${to%/*}" && \
	    $(PLACES) $$from >"$$to" && chmod $$mode "$$to")

## make uninstall	removes what install put, but for changed configuration
uninstall:
	$(call each,$(FILES) $(SERVICE_FILES),rm -f "$$to")
	$(call each,$(CONF_FILES),if cmp -s $$from "$$to"; then rm "$$to"; \
	    elif test -e "$$to"; then echo "left as changed: $$to"; fi)
	rm -f $(DESTDIR)$(MAN_LINK)
	@for d in $(DOCDIR) $(PREFIX)/share/pyspf-milter/rc.d \
	    $(PREFIX)/share/pyspf-milter $(dir $(MILTER_CONF) $(POLICY_CONF)); \
	do \
		test ! -d "$(DESTDIR)$$d" || \
		    rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$d"; \
	done

# --- packages ------------------------------------------------------------

NAME		= pyspf-milter-$(VERSION)
TRACKED		= git -c safe.directory='*'

## make dist		the tracked files as build/pyspf-milter-VERSION.tar.gz
# The same files and commit give the same octets.
dist:
	@mkdir -p $B
	$(TRACKED) ls-files -z >$B/dist.files
	tar -c --null --no-recursion -T $B/dist.files --format=ustar \
	    --transform='s,^,$(NAME)/,' --mode=u+rw,go=rX --owner=0 --group=0 \
	    --numeric-owner --mtime="@$$($(TRACKED) log -1 --format=%ct)" \
	    -f $B/dist.tar
	rm $B/dist.files
	gzip -9nc $B/dist.tar >$B/$(NAME).tar.gz
	rm $B/dist.tar

## make deb		the two Debian packages, in build/deb
# From that tarball, with conf/debian as debian/, and an environment of its
# own. What it needs: Build-Depends in conf/debian/control.
deb: dist
	@head -n 1 conf/debian/changelog | grep -q '($(VERSION)-' || { \
	    echo "conf/debian/changelog is not about $(VERSION)" >&2; exit 1; }
	rm -rf $B/deb
	mkdir -p $B/deb
	tar -xz -C $B/deb -f $B/$(NAME).tar.gz
	mv $B/deb/$(NAME)/conf/debian $B/deb/$(NAME)/debian
	cd $B/deb/$(NAME) && env -i PATH="$$PATH" LANG=C.UTF-8 \
	    DEB_BUILD_OPTIONS="$(DEB_BUILD_OPTIONS)" \
	    dpkg-buildpackage -us -uc -b

## make oci		a container image: build/pyspf-milter-VERSION.oci.tar
oci: all
	B=$B regress/oci/image.py $(VERSION)

# --- try and test --------------------------------------------------------

## make run		installs what is missing, builds, and shows a message
##			being judged
run:
	sh regress/deps.sh build demo
	$(MAKE) all user
	B=$B sh regress/demo/run

## make check		installs what the tests need, builds twice (as shipped,
##			and with the sanitizers), and runs regress/tests
check:
	sh regress/deps.sh check
	$(MAKE) all units suites user
	$(MAKE) B=$B-asan SAN="-fsanitize=address,undefined \
	    -fno-omit-frame-pointer" OPT="-O1 -g" all units suites fuzz-build
	regress/run $B $B-asan

## make vm		boots Debian 12 and 13 in QEMU and tests the packages
##			there; RELEASE=debian12 or debian13 for one, ARCH=arm64
vm: ARCH ?= $(shell dpkg --print-architecture)
vm:
	sh regress/deps.sh vm-$(ARCH)
	ARCH=$(ARCH) regress/run -t regress/vm/tests $B -- $(or $(RELEASE),'*')

## make user		makes the system user pyspf-milter when there is none
user:
	getent passwd pyspf-milter >/dev/null || useradd --system \
	    --user-group --no-create-home --home-dir /nonexistent \
	    --shell /usr/sbin/nologin pyspf-milter

## make lint		checks includes, calls, format and other rules
lint: all
	sh regress/lint.sh $B

## make soak		a long run under load; SOAK_SECONDS=600
soak: all user
	B=$B regress/system/soak.py

## make bench		beside a no-op filter and the Python original
bench: all suites
	B=$B regress/bench/bench.py

include regress/regress.mk
-include $(wildcard regress/*/*.mk)
-include $(shell find $B \( -path $B/deb -o -path $B/chroot -o -path $B/vm \) \
    -prune -o -type f -name '*.d' -print 2>/dev/null)

.PHONY: all programs help clean install install-service uninstall dist deb oci \
    run check vm user lint soak bench
