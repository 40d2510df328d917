"""Handing a notice over: the name is opened for that purpose, which stands in the audit log in the same transaction."""

from __future__ import annotations

from services.access import Caller
from services.access.purposes import Purpose
from services.dossiers.dossier import load_dossier
from services.house import House
from services.notices.receipt import Receipt, receipt_of
from services.notices.rights import RightsNotice, notice_of

_PURPOSE = Purpose.HANDLING.value


async def hand_over_rights(house: House, caller: Caller, number: str) -> RightsNotice:
    """The rights notice with the holder's whole name; errors as of ``read_rights_notice``, and then nothing opens."""
    async with house.database.write(caller.actor) as transaction:
        notice = notice_of(await load_dossier(transaction.connection, house, number, caller.sight), named=True)
        transaction.note("notice.printed", number, notice="rights-notice", purpose=_PURPOSE)
        return notice


async def hand_over_receipt(house: House, caller: Caller, number: str) -> Receipt:
    """The receipt with the applicant's whole name; errors as of ``read_receipt``, and then nothing opens."""
    async with house.database.write(caller.actor) as transaction:
        receipt = receipt_of(await load_dossier(transaction.connection, house, number, caller.sight), named=True)
        transaction.note("notice.printed", number, notice="receipt", purpose=_PURPOSE)
        return receipt
