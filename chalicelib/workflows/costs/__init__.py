"""The five-minute run's part about money: labs that await an approver, months that are over, ceilings that are reached."""
