"""What page builders leave in a text: the words, pictures and links that their shortcodes stood for."""

import base64
from urllib.parse import quote

import pytest

from app.moving.wordpress import rules
from tests.moving.wordpress.test_content import markdown, read

_PACKED = base64.b64encode(quote("<p>Packed <b>words</b></p>").encode()).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('[vc_custom_heading text="Hips" font_container="tag:h3|align:left"]', "### Hips"),
        ('[et_pb_heading title="Hips"][/et_pb_heading]', "## Hips"),
        ("[fusion_title size=4]<p>Hips</p>[/fusion_title]", "#### Hips"),
        ('[vc_single_image image="1" img_size="full"]', "![alt 1](https://x.org/1.jpg)"),
        (
            '[et_pb_image src="/a.jpg" alt="A" url="/b"][/et_pb_image]',
            '<figure><a href="/b"><img src="/a.jpg" alt="A"></a></figure>',
        ),
        ('[vc_gallery images="1,99"]', "![alt 1](https://x.org/1.jpg)"),
        ('[vc_btn title="Book" link="url:https%3A%2F%2Fx.org%2Fb|title:B||"]', "[Book](https://x.org/b)"),
        ('[et_pb_button button_url="/b" button_text="Book"][/et_pb_button]', "[Book](/b)"),
        ('[button link="javascript:x"]Book[/button]', "Book"),
        ('[et_pb_blurb title="Hips" url="/b"]Words[/et_pb_blurb]', "### [Hips](/b)\n\nWords"),
        (
            '[et_pb_cta title="Join" button_url="/b" button_text="Now"]Words[/et_pb_cta]',
            "### Join\n\nWords\n\n[Now](/b)",
        ),
        ("[vc_tta_tabs][vc_tta_section title='One']1 a[/vc_tta_section][/vc_tta_tabs]", "### One\n\n1 a"),
        ('[vc_video link="https://youtu.be/x"]', "<https://youtu.be/x>"),
        ('[fusion_vimeo id="7"]', "<https://vimeo.com/7>"),
        (f"[vc_raw_html]{_PACKED}[/vc_raw_html]", "Packed **words**"),
        ("a\n\n[vc_empty_space height='9px']\n\n[divider]\n\nb", "a\n\n---\n\nb"),
    ],
)
def test_builders_shortcodes_become_what_they_stood_for(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_they_are_counted_as_translated() -> None:
    found = read('[vc_btn title="B"][acme_box]x[/acme_box]').found
    assert found.shortcodes == {"vc_btn": 1}
    assert found.unknown_shortcodes == {"acme_box": 1}


@pytest.mark.parametrize(
    ("content", "meta"),
    [
        ("Free [members_only]paid[/members_only]", {}),
        ('[membership level="2"]paid[/membership]', {}),
        ("<!-- wp:jetpack/paywall /--><!-- wp:paragraph --><p>paid</p><!-- /wp:paragraph -->", {}),
        ("paid", {"_jetpack_newsletter_access": "paid_subscribers"}),
        ("paid", {"_members_access_role": "subscriber"}),
    ],
)
def test_what_a_plugin_kept_for_members_is_known(content: str, meta: dict[str, str]) -> None:
    assert rules.is_gated(content, meta)


@pytest.mark.parametrize(
    "content", ["[gallery]", "members only", "[mepr-login-form]", "[membership_count]", ""]
)
def test_what_all_could_read_is_not_taken_for_it(content: str) -> None:
    assert not rules.is_gated(content, {"_jetpack_newsletter_access": "everybody"})
