#!/usr/bin/perl
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
#
# What SpamAssassin's SPF plugin reads in the messages named on the command
# line: a line each, "FILE: RULE RULE ...". No network, no rules but these;
# so what it does not find in a header it cannot know.
# -n: use_newest_received_spf_header.

use strict;
use warnings;
use Mail::SpamAssassin;

my $newest = @ARGV && $ARGV[0] eq '-n' ? shift @ARGV : '';
my $conf = "loadplugin Mail::SpamAssassin::Plugin::Check\n" .
    "loadplugin Mail::SpamAssassin::Plugin::SPF\n" .
    "clear_trusted_networks\nclear_internal_networks\n" .
    "util_rb_tld test\n" .
    "use_newest_received_spf_header " . ($newest ? 1 : 0) . "\n";
for my $identity ('', 'helo_') {
	for my $result (qw(pass neutral none fail softfail permerror
	    temperror)) {
		my $rule = uc "spf_$identity$result";
		$conf .= "header $rule eval:check_for_spf_$identity$result()\n"
		    . "score $rule 1\n";
	}
}
my $sa = Mail::SpamAssassin->new({
	config_text => $conf, local_tests_only => 1, dont_copy_prefs => 1,
	userprefs_filename => '/dev/null', userstate_dir => '/nonexistent',
});
for my $file (@ARGV) {
	open(my $in, '<', $file) or die "$file: $!\n";
	my @lines = <$in>;
	close($in);
	my $mail = $sa->parse(\@lines);
	my $status = $sa->check($mail);
	print "$file: ", join(' ', sort split(/,/,
	    $status->get_names_of_tests_hit())), "\n";
	$status->finish();
	$mail->finish();
}
