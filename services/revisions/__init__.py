"""Revisions (政策修订): how rules change while work goes on.

A revision is a whole pack that is adopted, or an amendment: a few changes to a pack that is known, as data
(``amendments``), resting on a document. Both have a day from which they hold, and two persons: one asks, another
decides. Nothing is edited in place. Each adopted revision makes a new version of its pack, from its day on; decisions
of earlier days come out as they did. For who builds on it (the joint meeting, say):

    draft = AmendmentDraft(pack="zibo-2014-87", from_on=day, basis="…纪要〔2015〕3号", reason="…",
                           changes=[Owner(kind="owner", services=("ZB87-3.1.5b",), department="finance")])
    preview = await preview_revision(house, draft)              # what differs, who gains and who loses; touches nothing
    asked = await propose_revision(house, caller, draft)        # waits for a second person
    adopted = await approve_revision(house, other, asked.id)    # or reject_revision; AccessError for who asked
    house.packs.on("zibo-2014-87", day)                         # the version in force on a day

Every process takes adopted revisions up by itself (``rulebook``); none has to be restarted. An application is decided
by the version of its day of receipt. A permit in force is looked at again on a revision's day, if its answer changes
then, and only then (``looking``).
"""
