"""The words by which the furniture of a web page is known. Data only; all in lower case.

Add words here when a partner's pages bring new ones: no rule needs to change.
"""

# ruff: noqa: SIM905 - a word list reads best as words

from __future__ import annotations

BRANDS = frozenset(
    """
    bluesky facebook flickr github google instagram linkedin mastodon medium messenger pinterest
    reddit rss snapchat telegram threads tiktok tumblr twitter vimeo whatsapp x youtube
    """.split()
)

AMBIGUOUS_BRANDS = frozenset({"medium", "messenger", "threads", "x"})

ICONS = frozenset(
    """
    arrow bars bell bolt book bookmark calendar camera caret cart chat check chevron circle clip
    clock close cloud cog comment cross cube dots download edit ellipsis email envelope eye file
    filter flag folder gear gift globe grid hamburger heart help home icon image info key left link
    list location lock love mail map menu microphone minus mute pause pen pencil phone photo pin
    play plus print question quote refresh return right rotate rss save search share shield sort
    speaker square star stop tag thumb tick times top trash triangle upload user video volume wifi
    zoom
    """.split()
)

NAVIGATION = frozenset(
    """
    accept all cookies|all news|all stories|back|back to news|back to stories|back to top
    |click here|close|close menu|contact|contact us|donate|donate now|donate today|email
    |find out more|follow us|give|give now|give today|gallery|home|image|image gallery|learn more
    |load more|log in|login|menu|more|more news|more stories|news|next|next slide|open menu
    |photo gallery|previous|previous slide|print|print this page|read more|read the full story
    |register|search|see all|see less|see more|share|share on facebook|share on twitter|share this
    |share this page|share this story|show less|show more|sign in|sign up|skip to content
    |skip to main content|skip navigation|slideshow|slideshow image|submit|subscribe
    |toggle navigation|tweet|view all|view more|watch now|accueil|afficher plus|aller au contenu
    |chercher|donner|en savoir plus|envoyer|faire un don|fermer|imprimer|lire la suite|partager
    |partager cette page|plus|précédent|rechercher|retour|retour en haut|suivant|s'abonner
    |s'inscrire|voir plus|voir tout
    """.replace("\n", "").replace("  ", "").split("|")
)  # fmt: skip

HEADINGS = frozenset(
    """
    about the author|comments|connect with us|contact|contact information|contact us
    |don't miss out|follow us|for media enquiries|for media inquiries|for more information
    |get involved|get updates|have questions|have a question|join us|join our mailing list
    |keep in touch|keep reading|latest news|leave a comment|leave a reply|make a difference
    |make an impact|media contact|media contacts|media enquiries|media inquiries|more information
    |more like this|more news|more stories|need help|newsletter|our newsletter|press contact
    |press contacts|quick links|recent news|recent posts|related|related articles|related content
    |related news|related posts|related stories|share this|share this article|share this story
    |sign up|stay connected|stay in touch|stay informed|start a fundraiser|subscribe|take action
    |ways to give|you may also like|you may be interested in|you might also be interested in
    |you might also like|à lire aussi|articles connexes|besoin d'aide|contact médias
    |contacts médias|contact pour les médias|demandes des médias|infolettre|nous joindre
    |passez à l'action|plus d'information|pour en savoir plus|relations avec les médias
    |renseignements|restez informé|vous aimerez aussi|vous pourriez aussi aimer
    """.replace("\n", "").replace("  ", "").split("|")
)  # fmt: skip

# A short paragraph that says one of these is furniture wherever it stands.
FORM_PHRASES = (
    r"\bfill (?:out|in) (?:the|this|our) form\b",
    r"\bthank(?:s| you) for (?:signing up|subscribing|registering|your submission)\b",
    r"\b(?:contact|e-?mail|write to|reach) us (?:at|by|via|on)\b.{0,60}(?:@|\d{3})",
    r"\bcontactez-nous\b.{0,60}(?:@|\d{3})",
    r"\bfor (?:media|press|interview) (?:enquiries|inquiries|requests)\b",
    r"\ball rights reserved\b|\btous droits réservés\b|^\W*©",
    r"\bwe use cookies\b|\bthis (?:site|website) uses cookies\b",
    r"\bce site utilise des (?:cookies|témoins)\b",
    r"\bindicates (?:a )?required fields?\b|\bfields? marked with .{0,12}\brequired\b",
    r"\bremplissez le formulaire\b|\bmerci de vous être inscrit",
    r"\b(?:subscribe to|sign up for) our (?:news|mailing|e-?mail)",
)  # fmt: skip

# These are furniture only below a known heading: a story may say them too.
WEAK_PHRASES = (
    r"\bhere to (?:help|answer)\b",
    r"\b(?:will|we'll) be in touch\b",
    r"\bfrom our team will\b",
    r"\bfree guide\b|\bguide gratuit\b",
    r"\bneed (?:more )?(?:help|information)\?",
    r"\byour fundraising (?:campaign|page)\b|\bstart(?:ing)? a fundraiser\b",
    r"\bfollow us\b|\bsuivez-nous\b|\babonnez-vous\b",
    r"\b(?:phone|tel|telephone|e-?mail|fax|téléphone|courriel) ?[.:]",
)

MATCH_PROMISES = (
    (
        r"\b(?:your|every|each|all) (?:gift|donation|contribution|support|dollar|impact)s?\b"
        r".{0,60}\b(?:doubl|tripl|match|twice|two times|three times|[23] ?[x×])"
    ),
    (
        r"\b(?:doubl|tripl|match)\w* (?:your|every|each|all|the) "
        r"(?:gift|donation|contribution|support|dollar|impact)s?\b"
    ),
    r"\b(?:limited[- ]time|matching)\b.{0,20}\b(?:match|gift|offer|challenge)\b",
    r"\b(?:votre|chaque|vos) dons?\b.{0,60}\b(?:doubl|tripl|jumel|égal)",
)

PSEUDONYM_PHRASES = (
    r"\bpseudonyme?s?\b",
    r"\bnames?\b.{0,60}\b(?:changed|altered|withheld)\b",
    r"\bnot (?:his|her|their) (?:real|own|true) names?\b",
    r"\b(?:pré)?noms? (?:d['’]emprunt|fictifs?)\b",
    r"\b(?:noms?|prénoms?)\b.{0,60}\b(?:changés?|modifiés?|fictifs?)\b",
)

SMALL_WORDS = frozenset(
    """
    a an and as at but by for from in into nor of off on onto or over per the to up via vs with
    à au aux d' de des du en et l' la le les ou par pour sur un une
    """.split()
)

META_KEYS = {
    "title": "title", "titre": "title", "date": "date", "place": "place", "location": "place",
    "lieu": "place", "summary": "summary", "résumé": "summary",
}  # fmt: skip

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier", "february feb février fevrier", "march mar mars",
            "april apr avril", "may mai", "june jun juin", "july jul juillet",
            "august aug août aout", "september sep sept septembre", "october oct octobre",
            "november nov novembre", "december dec décembre decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
