"""What is said of a recording or an interval. Texts are constants, so that others can tell them."""

#: Of an interval: it says nothing of an expression, a class would mislead.
HEAD_MOVED = "the head moves by more than 10 of 128 pixels"
HEAD_TURNED = "the head turns by more than 15 degrees"
TOO_LONG = "too long for a micro-expression"
FEW_FRAMES = "fewer than 4 frames"
GAP = "a gap between frames lies inside"
FACE_LOST = "the face is lost inside"
SEVERAL_FACES = "several faces"
SPEAKS = "the mouth moves for more than a second: speech"
#: Of an interval: it may still be one.
BLINK = "blink at the same time"
AT_THE_EDGE = "at the edge of what could be compared"

#: With one of these, whoever predicts a class of an interval should withhold it.
WITHHOLDING = (HEAD_MOVED, HEAD_TURNED, TOO_LONG, FEW_FRAMES, GAP, FACE_LOST, SEVERAL_FACES, SPEAKS)

#: What each output says of its use.
NOT_FOR = (
    "For research on recordings and their annotation. Not for lie detection, hiring, interviews, "
    "schooling, policing, borders, insurance or any decision about a person. A person who is "
    "filmed must have agreed. An interval is a movement that a rule found, not a feeling."
)
#: What is known of such baselines on people, beside every list of intervals.
EXPECT_LITTLE = (
    "published level of such baselines for micro-expressions in long videos: F1 of 0.01 to 0.04; "
    "most of these intervals will be nothing"
)
