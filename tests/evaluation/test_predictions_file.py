"""Files of anybody's predictions: what they hold, what is refused, what readers are warned of."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_keras.errors import UserError
from mer_keras.evaluation import metrics, predictions_file
from mer_keras.evaluation.file_scores import score_file
from mer_keras.evaluation.predictions_file import read_predictions

HEAD = "subject,label,predicted\n"


@pytest.fixture
def written(tmp_path):
    def write(text, name="predictions.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("pq"), st.sampled_from("abc"), st.sampled_from("abc")),
        min_size=1,
        max_size=12,
    )
)
def test_scores_are_those_of_the_metrics(tmp_path_factory, clips):
    path = tmp_path_factory.mktemp("predictions") / "p.csv"
    pd.DataFrame(clips, columns=["subject", "label", "predicted"]).to_csv(path, index=False)
    (part,) = score_file(read_predictions(path, "abc"))
    _, labels, predicted = zip(*clips, strict=True)
    matrix = metrics.confusion_matrix(labels, predicted, "abc")
    assert part.matrix == matrix.tolist()
    assert part.clips == len(clips)
    assert part.metrics["war"].value == pytest.approx(float(metrics.war(matrix)))


def test_a_perfect_predictor_has_100_though_a_class_is_absent(written):
    predictions = read_predictions(written(HEAD + "s,x,x\nt,y,y\n"), ["x", "y", "z"])
    (part,) = score_file(predictions)
    assert all(metric.value == 1 for metric in part.metrics.values())
    warnings = " ".join(part.warnings)
    assert "no clip of z" in warnings
    assert "2 people" in warnings
    assert "without width" in warnings


def test_counts_stand_for_clips_and_parquet_for_csv(written, tmp_path):
    counts = read_predictions(written("subject,label,predicted,clips\ns,x,x,2\ns,x,y,1\nt,y,y,3\n"))
    plain = written(HEAD + "s,x,x\ns,x,x\ns,x,y\nt,y,y\nt,y,y\nt,y,y\n", "plain.csv")
    parquet = tmp_path / "p.parquet"
    pd.read_csv(plain).to_parquet(parquet)
    assert score_file(counts) == score_file(read_predictions(plain))
    assert score_file(counts) == score_file(read_predictions(parquet))


def test_people_of_two_databases_are_not_one(written):
    text = "database,subject,label,predicted\na,1,x,x\na,1,y,y\nb,1,x,y\n"
    whole, *of_databases = score_file(read_predictions(written(text)))
    assert whole.people == 2
    assert [part.name for part in of_databases] == ["a", "b"]


def test_probabilities_give_the_prediction(written):
    text = "subject,label,prob_x,prob_y\ns,x,0.9,0.1\nt,y,0.6,0.4\n"
    predictions = read_predictions(written(text))
    assert list(predictions.table["predicted"]) == ["x", "x"]
    text = "subject,label,predicted,prob_x,prob_y\ns,x,y,0.9,0.1\n"
    (warning,) = read_predictions(written(text)).warnings
    assert "not the most probable one in row 2" in warning


def test_copies_and_people_in_two_folds_are_told(written):
    text = "sample,fold,subject,label,predicted\nc,1,s,x,x\nc,1,s,x,y\nd,2,s,y,y\ne,2,t,y,y\n"
    warnings = " ".join(read_predictions(written(text)).warnings)
    assert "1 rows are copies" in warnings
    assert "(row 3)" in warnings
    assert "1 of 2 people were tested in more than one fold" in warnings


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "subject,label,predictd\ns,x,x\n",
            "lacks the column 'predicted' (did you mean 'predictd'",
        ),
        (HEAD, "holds no row"),
        (HEAD + "s,x,x\ns,,x\n", "row 3: 'label' is empty"),
        (HEAD + "s,x,x\n", "only the class 'x'"),
        ("subject,subject,label,predicted\ns,s,x,y\n", "stands twice"),
        ("subject,label,predicted,clips\ns,x,y,0\n", "row 2: 'clips' is '0': expected a whole"),
        ("subject,label,predicted,prob_x,prob_y\ns,x,x,0.9,nan\n", "row 2: 'prob_y' is 'nan'"),
        ("subject,label,predicted,prob_x,prob_y\ns,x,x,0.9,0.9\n", "row 2: the probabilities add"),
        ("sample,subject,label,predicted\nc,s,x,x\nc,s,y,x\n", "sample 'c' has two labels"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_row(written, text, complaint):
    path = written(text)
    with pytest.raises(UserError) as raised:
        read_predictions(path)
    assert str(path) in str(raised.value)
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("clips", "complaint"), [("9" * 5000, "'clips' is '9"), ("10000000000", "to 5,000,000")]
)
def test_fault_66_numbers_that_no_counter_holds(written, clips, complaint):
    with pytest.raises(UserError, match=complaint):
        read_predictions(written(f"subject,label,predicted,clips\ns,x,y,{clips}\n"))
    with pytest.raises(UserError, match="stand for 9,000,000 clips"):
        read_predictions(written(HEAD[:-1] + ",clips\n" + "s,x,y,3000000\n" * 3))


def test_fault_65_classes_and_people_are_as_many_as_intervals_can_draw(written, monkeypatch):
    many = HEAD + "".join(f"s,{number},{number}\n" for number in range(101))
    with pytest.raises(UserError, match="101 classes, expected 100 at most"):
        read_predictions(written(many))
    monkeypatch.setattr(predictions_file, "MOST_PEOPLE", 2)
    with pytest.raises(UserError, match="3 people and 2 classes, expected 2 people"):
        read_predictions(written(HEAD + "a,x,x\nb,y,y\nc,x,y\n"))


@pytest.mark.parametrize(
    ("limit", "value"),
    [("MOST_BYTES", 40), ("MOST_ROWS", 3), ("MOST_COLUMNS", 2), ("MOST_CELLS", 9)],
)
@pytest.mark.parametrize("end", ["\n", "\r"])
def test_fault_65_tables_are_bounded_before_they_are_parsed(
    written, monkeypatch, limit, value, end
):
    text = (HEAD + "s,x,x\ns,y,y\n" * 4).replace("\n", end)
    monkeypatch.setattr(predictions_file, limit, value)
    with pytest.raises(UserError, match=r"can't be read as a table: .*\d"):
        read_predictions(written(text))


def test_fault_67_parquet_of_another_schema(tmp_path):
    """A column that is needed must hold texts or numbers; others may hold anything."""
    table = pd.DataFrame({"subject": ["a", "b"], "label": ["x", "y"], "predicted": ["x", "y"]})
    file = tmp_path / "t.parquet"
    table.assign(other=[[1], {"a": 2}][:1] * 2).to_parquet(file)
    assert read_predictions(file).warnings == ("columns that are not used: other",)
    table.assign(label=[["x"], ["y"]]).to_parquet(file)
    with pytest.raises(UserError, match=r"t\.parquet: can't be read as a table: column 'label'"):
        read_predictions(file)


def test_a_class_that_was_not_named_is_refused(written):
    with pytest.raises(
        UserError, match=r"row 2: 'predicted' is 'negativ'.*did you mean 'negative'"
    ):
        read_predictions(written(HEAD + "s,negative,negativ\n"), ["negative", "positive"])


@pytest.mark.parametrize("name", ["absent.csv", "table.txt", "broken.parquet"])
def test_a_file_that_is_no_table_is_refused(written, tmp_path, name):
    path = tmp_path / name if name.startswith("absent") else written("no table", name)
    with pytest.raises(UserError, match=name):
        read_predictions(path)
