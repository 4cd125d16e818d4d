"""Balance (잔고, money) and Position (보유종목): the account as the broker's ledger sees it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """One row of inquire-balance output1. Money in KRW, quantities in shares."""

    symbol: str  # pdno
    name: str  # prdt_name
    quantity: int  # hldg_qty 보유수량 (0 for positions sold out lately)
    sellable: int  # ord_psbl_qty 주문가능수량
    average_price: Decimal  # pchs_avg_pric, 4 decimals
    cost: int  # pchs_amt 매입금액
    price: int  # prpr 현재가
    value: int  # evlu_amt 평가금액
    profit: int  # evlu_pfls_amt 평가손익


@dataclass(frozen=True, slots=True)
class Balance:
    """inquire-balance output2 (one object), KRW."""

    deposit: int  # dnca_tot_amt 예수금 D+0
    deposit_d1: int  # nxdy_excc_amt D+1
    deposit_d2: int  # prvs_rcdl_excc_amt D+2: moves with today's fills
    securities_value: int  # scts_evlu_amt 유가평가금액
    total_value: int  # tot_evlu_amt = securities + D+2 cash
    net_assets: int  # nass_amt 순자산
    cost: int  # pchs_amt_smtl_amt 매입금액합계
    profit: int  # evlu_pfls_smtl_amt 평가손익합계
    bought_today: int  # thdt_buy_amt
    sold_today: int  # thdt_sll_amt
    fees_today: int  # thdt_tlex_amt
