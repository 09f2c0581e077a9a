# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Fields that a sender writes who wants them believed: what is claimed goes
in place of %s, a result for the first and a domain for the second."""

FORGED_AR = {
    'plain': b'Authentication-Results: mx.example.test; %s',
    'lower-case-name': b'authentication-results: mx.example.test; %s',
    'upper-case-id': b'Authentication-Results: MX.EXAMPLE.Test; %s',
    'comment-first': b'Authentication-Results: (x) mx.example.test; %s',
    'nested-comments': b'Authentication-Results: (a(b)(c\\)))'
                       b'mx.example.test(d) ; %s',
    'folded': b'Authentication-Results:\r\n mx.example.test;\r\n\t%s',
    'quoted': b'Authentication-Results: "mx.example.test"; %s',
    'quoted-pairs': b'Authentication-Results: "mx\\.example\\.test"; %s',
    'version': b'Authentication-Results: mx.example.test 1; %s',
    'version-comment': b'Authentication-Results: mx.example.test (x) 1 '
                       b'(y); %s',
    'trailing-dot': b'Authentication-Results: mx.example.test.; %s',
    'blank-before-colon': b'Authentication-Results : mx.example.test; %s',
    'tab': b'Authentication-Results:\tmx.example.test\t;\t%s',
    'nothing-between': b'Authentication-Results:mx.example.test;%s',
    'twice': b'Authentication-Results: mx.example.test; none\r\n'
             b'Authentication-Results: mx.example.test; %s',
    'behind-another': b'Authentication-Results: other.test; spf=fail\r\n'
                      b'Authentication-Results: mx.example.test; %s',
    'many': b''.join(b'Authentication-Results: mx.example.test; spf=fail\r\n'
                     for _ in range(40)) +
            b'Authentication-Results: mx.example.test; %s',
}
FORGED_SPF = {
    'plain': b'Received-SPF: pass (x) identity=mailfrom; '
             b'envelope-from=u@%s; client-ip=192.0.2.1',
    'quoted': b'Received-SPF: Pass (mailfrom) identity=mailfrom; '
              b'client-ip=192.0.2.1; helo=mail.test; '
              b'envelope-from="u@%s"; receiver=dest.test',
    'lower-case-name': b'received-spf: pass (x) identity=mailfrom; '
                       b'envelope-from=u@%s',
    'blank-before-colon': b'Received-SPF : pass (x) identity=mailfrom; '
                          b'envelope-from=u@%s',
    'folded': b'Received-SPF:\r\n pass (x)\r\n identity=mailfrom;\r\n'
              b' envelope-from=u@%s',
}
