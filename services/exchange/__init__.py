"""The exchange: messages to departments (协办事项), their signatures, how they are sent, the outcomes that come back.

Pure or HTTP only: nothing here knows the database. The ledger says what to send and records what came of it.
"""
