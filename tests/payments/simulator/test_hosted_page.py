"""The page where a donor types the card."""

from __future__ import annotations

import re
import threading

import pytest
import requests
import stripe


def page_of(simulator, session, **headers):
    return requests.get(f"{simulator.url}/c/pay/{session.id}", headers=headers, timeout=5)


def intent_of(simulator, session):
    path = "payment_intent.latest_charge"
    return simulator.client.v1.checkout.sessions.retrieve(
        session.id, {"expand": [path]}
    ).payment_intent


def test_the_page_is_plain_labelled_and_says_that_it_is_simulated(simulator):
    session = simulator.open_session(
        custom_text={"submit": {"message": "<b>All</b> of it reaches the work."}}
    )
    page = page_of(simulator, session)
    assert page.status_code == 200
    assert "Simulated – no real money" in page.text
    assert '<html lang="en">' in page.text
    assert page.text.count("<h1>") == 1
    assert "Gift to the harbour school" in page.text
    assert "Give $25.00 CAD</button>" in page.text
    assert "&lt;b&gt;All&lt;/b&gt; of it reaches the work." in page.text
    assert 'value="donor@example.org"' in page.text
    assert 'href="http://127.0.0.1:9/gifts/1/cancelled"' in page.text
    assert not re.search(r"<script|<style|style=|\son\w+=", page.text)
    for name in re.findall(r'<input id="(\w+)"', page.text):
        assert f'<label for="{name}">' in page.text


def test_the_page_allows_nothing_but_its_own_style_and_the_way_back(simulator):
    policy = page_of(simulator, simulator.open_session()).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self' http://127.0.0.1:9" in policy


@pytest.mark.parametrize(
    ("locale", "accepts", "lang"),
    [
        ("fr-CA", "en", "fr-CA"),
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("auto", "fr-CA, en;q=0.5", "fr"),
    ],
)
def test_the_page_speaks_the_language_of_the_session(simulator, locale, accepts, lang):
    session = simulator.open_session(locale=locale)
    page = page_of(simulator, session, **{"Accept-Language": accepts})
    assert f'<html lang="{lang}">' in page.text
    if lang.startswith("fr"):
        assert "Donner 25,00\u00a0$\u00a0CAD</button>" in page.text
        assert "aucun argent réel" in page.text


def test_a_good_card_leads_back_to_the_site(simulator):
    session = simulator.open_session()
    answer = simulator.submit(session)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://127.0.0.1:9/gifts/1/?session={session.id}"
    paid = simulator.client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details.email == "donor@example.org"
    assert paid.customer_details.name == "Ada Donor"


def test_the_card_number_is_kept_nowhere(simulator, tmp_path):
    simulator.submit(simulator.open_session())
    store = simulator.running.simulator.store
    store.flush()
    rows = store.archive.select("1 = 1", (), limit=1000)
    assert rows
    assert not [row for row in rows if "42424242" in row.body]


@pytest.mark.parametrize(
    ("card", "decline_code", "words"),
    [
        ("4000000000009995", "insufficient_funds", "does not have enough money"),
        ("4000000000000002", "generic_decline", "Your card was declined"),
    ],
)
def test_a_declined_card_shows_the_page_again(simulator, card, decline_code, words):
    session = simulator.open_session()
    answer = simulator.submit(session, cardNumber=card)
    assert answer.status_code == 402
    assert words in answer.text
    assert 'value="Ada Donor"' in answer.text
    intent = intent_of(simulator, session)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == decline_code
    assert intent.latest_charge.status == "failed"
    simulator.receiver.wait_for("charge.failed")
    simulator.receiver.wait_for("payment_intent.payment_failed")
    assert simulator.submit(session).status_code == 303
    assert intent_of(simulator, session).id == intent.id


def test_authentication_can_be_completed(simulator):
    session = simulator.open_session()
    answer = simulator.submit(session, cardNumber="4000 0027 6000 3184")
    assert answer.headers["Location"] == f"/c/pay/{session.id}/challenge"
    challenge = f"{simulator.url}/c/pay/{session.id}/challenge"
    page = requests.get(challenge, timeout=5)
    assert "Complete authentication" in page.text
    assert "Fail authentication" in page.text
    assert intent_of(simulator, session).status == "requires_action"
    done = requests.post(challenge, data={"outcome": "complete"}, allow_redirects=False, timeout=5)
    assert done.status_code == 303
    assert session.id in done.headers["Location"]
    charge = intent_of(simulator, session).latest_charge
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"


def test_authentication_can_fail_and_be_tried_again(simulator):
    session = simulator.open_session()
    simulator.submit(session, cardNumber="4000 0027 6000 3184")
    challenge = f"{simulator.url}/c/pay/{session.id}/challenge"
    failed = requests.post(challenge, data={"outcome": "fail"}, timeout=5)
    assert failed.status_code == 402
    assert "could not confirm that it was you" in failed.text
    simulator.receiver.wait_for("payment_intent.payment_failed")
    again = requests.post(challenge, data={"outcome": "complete"}, allow_redirects=False, timeout=5)
    assert again.headers["Location"] == f"/c/pay/{session.id}"
    assert simulator.client.v1.charges.list().data == []
    assert simulator.submit(session).status_code == 303


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cardNumber": ""}, "Enter a card number"),
        ({"cardNumber": "4242 4242 4242 4241"}, "typing error"),
        ({"cardNumber": "4111 1111 1111 1111"}, "one of the test cards"),
        ({"cardExpiry": "01 / 20"}, "has expired"),
        ({"cardExpiry": "13 / 34"}, "as month and year"),
        ({"cardExpiry": ""}, "Enter the expiry date"),
        ({"cardCvc": ""}, "Enter the security code"),
        ({"cardCvc": "12"}, "Enter 3 or 4 digits"),
        ({"billingName": " "}, "Enter the name on the card"),
        ({"email": "ada"}, "Enter an e-mail address like"),
    ],
)
def test_a_mistake_is_told_beside_its_field(simulator, fields, words):
    session = simulator.open_session()
    answer = simulator.submit(session, **fields)
    name = next(iter(fields))
    assert answer.status_code == 422
    assert re.search(rf'id="{name}-error">[^<]*{re.escape(words)}', answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert simulator.client.v1.payment_intents.list().data == []


def test_paying_twice_charges_once(simulator):
    session = simulator.open_session()
    first, second = simulator.submit(session), simulator.submit(session)
    assert second.status_code == 303
    assert second.headers["Location"] == first.headers["Location"]
    assert len(simulator.client.v1.charges.list().data) == 1
    assert "already paid" in page_of(simulator, session).text


def test_paying_many_times_at_once_charges_once(simulator):
    session = simulator.open_session()
    threads = [threading.Thread(target=simulator.submit, args=(session,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(simulator.client.v1.charges.list().data) == 1


def test_an_expired_page_says_so_and_leads_back(simulator):
    session = simulator.open_session()
    simulator.client.v1.checkout.sessions.expire(session.id)
    for answer in (page_of(simulator, session), simulator.submit(session)):
        assert answer.status_code == 410
        assert "This page has expired" in answer.text
        assert "http://127.0.0.1:9/gifts/1/cancelled" in answer.text
    assert simulator.client.v1.charges.list().data == []


def test_an_unknown_page_is_404(simulator):
    answer = requests.get(f"{simulator.url}/c/pay/cs_test_nothing", timeout=5)
    assert answer.status_code == 404
    assert "There is nothing to pay here" in answer.text


def test_the_card_that_is_disputed_later_opens_a_dispute(simulator):
    simulator.submit(simulator.open_session(), cardNumber="4000000000000259")
    simulator.receiver.wait_for("charge.dispute.created")
    charge = simulator.client.v1.charges.list().data[0]
    with pytest.raises(stripe.InvalidRequestError):
        simulator.client.v1.refunds.create({"charge": charge.id})
