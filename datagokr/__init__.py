"""data.go.kr 금융위원회_주식시세정보: tier 3, every KRX stock of a day, a business day later."""
