"""The form of rich text: what of it the server believes, and the policy of its page."""

import re

import pytest

from app.views import Habits, RichText
from app.web.middleware import POLICY, WRITING_POLICY
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World
from tests.app.web.test_compose import FORM, REPLY
from tests.corpus.markup import HOSTILE
from tests.corpus.ordinary import PNG

PICTURE = "picture-0123456789abcdef.png"


def test_what_a_form_claims_is_cleaned_and_its_plain_part_is_ours(
    world: World, vlad: Client
) -> None:
    html = '<p onclick="x()">Yes, <b>noon</b></p><script>x()</script>' + "".join(HOSTILE.values())
    vlad.post(REPLY, FORM | {"html": html, "message": "something else"})
    [sent] = world.sending.sent
    assert sent.rich is not None
    assert sent.rich.html.startswith("<p>Yes, <b>noon</b></p>")
    assert not re.search(r"<(script|style|svg|math|form|iframe|object)", sent.rich.html)
    assert sent.text.startswith("Yes, noon\n")
    assert "something else" not in sent.text


def test_without_a_script_the_plain_text_is_sent(world: World, vlad: Client) -> None:
    world.habits.kept = Habits(rich=True)
    assert 'name="html" value=""' in vlad.get(REPLY).text
    vlad.post(REPLY, FORM | {"html": ""})
    assert (world.sending.sent[0].text, world.sending.sent[0].rich) == ("Confirmed.\n\nVlad", None)


def test_rich_text_that_says_nothing_is_an_empty_mail_not_the_plain_field(
    world: World, vlad: Client
) -> None:
    vlad.post(REPLY, FORM | {"html": "<div></div>"})
    assert (world.sending.sent[0].text, world.sending.sent[0].rich) == ("", None)


def test_after_a_mistake_the_forms_and_new_pictures_are_there_again(
    world: World, vlad: Client
) -> None:
    fields = FORM | {"to": "", "html": f'<p>A <b>b</b></p><img src="cid:{PICTURE}">'}
    files = [("attachments", (PICTURE, PNG, "image/png"))]
    answer = vlad.raw_post(REPLY, data={"csrf": vlad.token(), **fields}, files=files)
    assert answer.status_code == 422
    assert "data-begin" in answer.text
    assert "&lt;p&gt;A &lt;b&gt;b&lt;/b&gt;&lt;/p&gt;&lt;img src=" in answer.text
    assert re.search(rf'src="data:image/png;base64,[^"]+" data-picture="{PICTURE}"', answer.text)
    [draft] = world.drafts.kept.values()
    assert isinstance(draft.rich, RichText)


def test_a_picture_that_is_none_is_not_put_into_the_page(world: World, vlad: Client) -> None:
    fields = FORM | {"to": "", "html": f'<p>A</p><img src="cid:{PICTURE}">'}
    files = [("attachments", (PICTURE, b"<svg onload=x()>", "image/svg+xml"))]
    answer = vlad.raw_post(REPLY, data={"csrf": vlad.token(), **fields}, files=files)
    assert "data-picture=" not in answer.text


def test_text_is_turned_from_one_editor_to_the_other(vlad: Client) -> None:
    turned = vlad.post("/compose/turn", {"message": "A <b>\r\n> c"})
    html = '<div>A &lt;b&gt;</div><blockquote type="cite"><div>c</div></blockquote>'
    assert turned.json() == {"html": html}
    back = vlad.post("/compose/turn", {"html": html + "<script>x()</script>"})
    assert back.json() == {"text": "A <b>\n\n> c\n"}
    assert vlad.raw_post("/compose/turn", data={"message": "x"}).status_code == 403


def test_only_the_page_that_writes_lets_the_sanitiser_make_html(vlad: Client) -> None:
    def policy(path: str) -> str:
        header = vlad.get(path).headers["content-security-policy"]
        return re.sub(r"nonce-[\w-]+", "nonce-{nonce}", header)

    assert policy(REPLY) == WRITING_POLICY
    assert policy(f"/mail/inbox/{sample.entry_id(1)}") == policy("/settings") == POLICY
    changed = ("style-src 'self'; style-src-attr 'unsafe-inline'", "trusted-types dompurify")
    assert all(one in WRITING_POLICY for one in changed)
    assert (
        WRITING_POLICY.replace(changed[0], "style-src 'self'").replace(
            changed[1], "trusted-types 'none'"
        )
        == POLICY
    )


@pytest.mark.parametrize("name", ["vendor/squire.mjs", "vendor/purify.mjs"])
def test_the_editor_is_served_as_a_script(vlad: Client, name: str) -> None:
    page = vlad.get(REPLY).text
    digest = re.search(r"/static/(\w+)/js/main.js", page)
    assert digest is not None
    answer = vlad.get(f"/static/{digest[1]}/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/javascript; charset=utf-8",
    )
    assert name.rpartition("/")[2] not in page  # it is fetched by the page that needs it
