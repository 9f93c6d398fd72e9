"""Pages of the unsubscribe link in a mail: nothing of the reader is in them."""

from api.web.page import render_page

ASK = render_page(
    "Unsubscribe",
    """<p>You will get no more product mails from this shop.</p>
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>Unsubscribe</button>
</form>""",
)
"""The page that asks, with one button that posts to the same address."""
DONE = render_page("You are unsubscribed", "<p>You will get no more product mails from this shop.</p>")
"""The page that confirms it."""
