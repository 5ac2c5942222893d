"""How the password of a database is changed while the site goes on: two users, who take turns.

Each of them is a member of one owner, whom all that the site has belongs to, and acts as that owner from its first word
on. So it makes no difference who of the two has made a table.
"""
