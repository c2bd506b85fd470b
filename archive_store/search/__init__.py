"""The search language of the mail pages, and whether an entry matches (no I/O).

    invoice "exactly these words" -newsletter          words: each must be there, in any place
    from:anna to:sales cc:lee subject:"fall sale" filename:pdf body:total
    has:attachment   is:unread|read|starred|answered|forwarded   in:inbox|sent|trash|...
    before:2026-11-20 after:2026-11-18 on:2026-11-19   (the reader's days; today, yesterday)
    larger:2m smaller:100k                             (octets; k, m, g are powers of 1024)
    from:anna OR from:lee                              OR binds its neighbours; the rest is "and"
    (from:anna invoice) OR -(from:lee draft)   from:(anna OR lee)

Words are compared folded (`mime.folding`) and as substrings: that finds parts of words, and is
what languages without blanks need. Anything that is no operator, or an operator with a value that
makes no sense, is searched for as it was typed, and `Query.problems` says so; `parse_query` never
raises. Parsing is linear in the text and reads at most its first 2,000 characters, matching is
linear in the words.
"""

from archive_store.search.conditions import Candidate as Candidate
from archive_store.search.conditions import Facts as Facts
from archive_store.search.conditions import Needs as Needs
from archive_store.search.excerpt import excerpt as excerpt
from archive_store.search.excerpt import hits as hits
from archive_store.search.parsing import parse_query as parse_query
from archive_store.search.problems import Problem as Problem
from archive_store.search.problems import ProblemKind as ProblemKind
from archive_store.search.query import Chip as Chip
from archive_store.search.query import Query as Query
from archive_store.search.tokens import LONGEST_QUERY as LONGEST_QUERY
from archive_store.search.tokens import MOST_TERMS as MOST_TERMS
