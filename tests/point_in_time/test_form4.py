from datetime import UTC, date, datetime

import numpy as np
import pytest

from research.ingest.point_in_time.form4 import insider_rows, parse_ownership
from research.ingest.point_in_time.insider_scores import issuer_scores
from research.ingest.point_in_time.xml_tree import DEPTH_MAX, SIZE_MAX, parse_xml
from shared.errors import DataError
from tests.point_in_time.builders import DATA, at, needs_data

OWNER = (
    "<reportingOwner><reportingOwnerId><rptOwnerCik>{cik}</rptOwnerCik><rptOwnerName>{name}</rptOwnerName>"
    "</reportingOwnerId><reportingOwnerRelationship><isOfficer>{officer}</isOfficer><isDirector>1</isDirector>"
    "<officerTitle>{title}</officerTitle></reportingOwnerRelationship></reportingOwner>"
)
LINE = (
    "<{kind}><securityTitle><value>Common</value></securityTitle><transactionDate><value>{day}</value></transactionDate>"
    "<transactionCoding><transactionCode>{code}</transactionCode></transactionCoding><transactionAmounts>"
    "<transactionShares><value>{shares}</value></transactionShares><transactionPricePerShare>{price}"
    "</transactionPricePerShare><transactionAcquiredDisposedCode><value>A</value></transactionAcquiredDisposedCode>"
    "</transactionAmounts><postTransactionAmounts><sharesOwnedFollowingTransaction><value>9</value>"
    "</sharesOwnedFollowingTransaction></postTransactionAmounts></{kind}>"
)
ANN = OWNER.format(cik="11", name="Ann", officer="true", title="CEO")
FUND = OWNER.format(cik="3", name="A Fund", officer="0", title="")


def a_line(kind="nonDerivativeTransaction", day="2024-03-04", code="P", shares="100000", price="<value>10</value>"):
    return LINE.format(kind=kind, day=day, code=code, shares=shares, price=price)


def a_document(lines=None, owners=ANN, derivative="", planned="0"):
    return (
        '<?xml version="1.0"?><ownershipDocument><documentType>4</documentType>'
        "<periodOfReport>2024-03-04</periodOfReport><issuer><issuerCik>7</issuerCik><issuerName>Acme &amp; Co"
        f"</issuerName><issuerTradingSymbol>NA</issuerTradingSymbol></issuer>{owners}<aff10b5One>{planned}</aff10b5One>"
        f"<nonDerivativeTable>{lines or a_line()}</nonDerivativeTable>"
        f"<derivativeTable>{derivative}</derivativeTable></ownershipDocument>"
    )


def a_submission(document, accepted="20240305160730"):
    return (
        f"<SEC-DOCUMENT>1.txt : 20240305\n<ACCEPTANCE-DATETIME>{accepted}\nACCESSION NUMBER:\t\t0001127602-24-000001\n"
        f"<XML>\n{document}\n</XML>\n</SEC-DOCUMENT>"
    ).encode()


def test_the_header_says_in_new_york_time_when_the_filing_was_public():
    filing = parse_ownership("f", a_submission(a_document()))
    assert filing.accepted_at == datetime(2024, 3, 5, 21, 7, 30, tzinfo=UTC)
    assert (filing.accession, filing.ticker, filing.issuer_cik) == ("0001127602-24-000001", "NA", "0000000007")
    assert filing.issuer_name == "Acme & Co"


def test_without_a_header_it_is_public_when_it_was_due():
    (row,) = insider_rows([parse_ownership("f", a_document().encode())]).to_dict("records")
    assert str(row["known_by"]) == "2024-03-07 05:00:00+00:00"


def test_joint_owners_of_one_filing_are_one_row_under_the_officer():
    rows = insider_rows([parse_ownership("f", a_submission(a_document(owners=FUND + ANN)))])
    assert rows[["owner", "position", "shares"]].to_numpy().tolist() == [["Ann", "CEO", 100_000.0]]


def test_joint_owners_who_file_each_for_himself_are_one_row_too():
    filings = [a_submission(a_document(owners=ANN)), a_submission(a_document(owners=FUND), "20240305160955")]
    assert insider_rows([parse_ownership("f", one) for one in filings])["owner"].tolist() == ["Ann"]


def test_derivative_lines_are_marked_and_score_nothing():
    document = a_document(lines=a_line(code="M"), derivative=a_line("derivativeTransaction"))
    rows = insider_rows([parse_ownership("f", a_submission(document))])
    assert rows["is_derivative"].tolist() == [False, True]
    assert issuer_scores(rows, ["NA"], at("2024-03-06")).item() == 0


def test_a_purchase_scores_once_it_is_public():
    rows = insider_rows([parse_ownership("f", a_submission(a_document()))])
    before, after = issuer_scores(rows, ["NA"], at("2024-03-05 16:07", "2024-03-05 16:08"))[:, 0]
    assert before == 0 < after < 1


def test_a_price_that_only_a_footnote_tells_is_not_there():
    document = a_document(lines=a_line(price='<footnoteId id="F1"/>'))
    assert np.isnan(parse_ownership("f", document.encode()).transactions[0].price)


def test_a_sale_under_a_plan_is_marked():
    assert parse_ownership("f", a_document(planned="1").encode()).is_planned is True


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (a_document()[:-30], "f: no XML"),
        ("<html><body>Rate limited</body></html>", "f: html of type '', allowed: an ownershipDocument"),
        (a_document(lines=a_line(day="yesterday")), "f: transactionDate 'yesterday', allowed: a day"),
        (a_document(lines=a_line(shares="many")), "f: .*transactionShares 'many', allowed: a finite number"),
        (a_document(lines=a_line(code="")), "f: no transactionCoding/transactionCode"),
        (a_document(owners=""), "f: no reportingOwner"),
        ("<SEC-DOCUMENT>1.txt\n<XML>\n<owner", "f: a submission without <XML>"),
    ],
)
def test_what_is_no_whole_filing_is_one_line(document, line):
    with pytest.raises(DataError, match=line) as caught:
        parse_ownership("f", document.encode())
    assert "\n" not in str(caught.value)


def test_entities_are_refused_before_they_grow_or_read_files():
    bomb = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    with pytest.raises(DataError, match="f: has a DOCTYPE"):
        parse_xml("f", bomb)


@pytest.mark.parametrize(
    ("document", "line"),
    [(b"<a>" * (DEPTH_MAX + 2), "nested deeper"), (b" " * (SIZE_MAX + 1), "bytes, allowed: at most")],
)
def test_a_document_without_bounds_is_refused(document, line):
    with pytest.raises(DataError, match=line):
        parse_xml("f", document)


@needs_data
def test_a_real_submission_is_read_whole():
    path = DATA / "insider" / "form4_full_submission_0001127602-25-001055.txt"
    filing = parse_ownership(path.name, path.read_bytes())
    (sale,) = filing.transactions
    assert filing.accepted_at == datetime(2025, 1, 10, 21, 7, 30, tzinfo=UTC)
    assert (filing.ticker, filing.owners[0].position) == ("AIR", "Senior VP, GC, CAO & Secretary")
    assert (sale.code, sale.shares, sale.price, sale.shares_after) == ("S", 1500, 66.903, 37565)


@needs_data
@pytest.mark.parametrize(
    ("name", "form", "codes"), [("form3", "3", ""), ("form4", "4", "MSSSSSM"), ("form5", "5", "G")]
)
def test_real_forms_3_4_and_5_are_read(name, form, codes):
    filing = parse_ownership(name, (DATA / "insider" / f"{name}_snow.xml").read_bytes())
    assert (filing.form, filing.ticker) == (form, "SNOW")
    assert "".join(line.code for line in filing.transactions) == codes
    assert filing.period >= date(2020, 1, 1)
