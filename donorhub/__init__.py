"""DonorHub: a fundraising platform that a charity runs itself."""
