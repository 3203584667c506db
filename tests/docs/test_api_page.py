"""The page about the API is made from what the API says of itself."""

from tests.docs.api_page import PAGE, api_page, document


def test_the_page_is_made_from_the_api_as_it_is():
    described = document()
    assert described["paths"]
    assert PAGE.read_text(encoding="utf-8") == api_page(described), "run: python -m tests.docs.api_page"
