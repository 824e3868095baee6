"""Text frames: canonical form, strictness, tolerance and the clarity of errors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from wire.shapes import all_parts
from wire.vectors import read_vectors

from callsheet import wire
from callsheet.wire import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    Ack,
    Action,
    Error,
    ErrorCode,
    Heard,
    Ping,
    ProtocolError,
    Reliable,
    ScheduledCall,
    Speaker,
    SpeakerView,
    encode,
    parse_client_message,
    parse_server_message,
)
from callsheet.wire.faults import shown


def refusal(text: str | bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse_client_message(text)
    return caught.value


def say(**fields: Any) -> str:
    message = {
        "type": "say",
        "id": 1,
        "npc": "bob",
        "speaker": {"kind": "player", "id": "ann"},
        "text": "Hi",
    }
    return json.dumps(message | fields)


def test_type_comes_first_and_seq_second() -> None:
    for vector in (v for v in read_vectors() if v.group == "valid" and "json" in v.body):
        if vector.file in SERVER_MESSAGES or vector.file in CLIENT_MESSAGES:
            parse = parse_client_message if vector.direction == "client" else parse_server_message
            names = list(json.loads(encode(parse(vector.frame))))
            assert names[0] == "type"
            if "seq" in names and issubclass(SERVER_MESSAGES.get(vector.file, Ack), Reliable):
                assert names[1] == "seq"


def test_absent_fields_are_left_out_but_nulls_of_json_objects_are_kept() -> None:
    action = Action(
        reply=1, action=2, npc="bob", name="give", arguments={"to": None, "of": [None, {"x": None}]}
    )
    assert encode(action) == (
        b'{"type":"action","reply":1,"action":2,"npc":"bob","name":"give",'
        b'"arguments":{"to":null,"of":[null,{"x":null}]}}'
    )


def test_empty_is_not_absent() -> None:
    text = b'{"type":"update_npc","id":1,"npc":"bob","adapter":"","schedule":[]}'
    assert encode(parse_client_message(text)) == text


def test_integers_are_taken_for_numbers_but_nothing_else_is_converted() -> None:
    call = ScheduledCall(at_s=3)
    assert isinstance(call.at_s, float)
    for value in (True, "3", None, [3]):
        with pytest.raises(ProtocolError):
            ScheduledCall(at_s=value)  # type: ignore[arg-type]


def test_messages_are_frozen_and_hashable_unless_they_hold_a_json_object() -> None:
    ping = Ping(client_time_s=1)
    with pytest.raises(ValidationError):
        ping.client_time_s = 2
    assert len({ping, Ping(client_time_s=1)}) == 1
    for vector in (v for v in read_vectors() if v.group == "valid" and "object" in v.body):
        if vector.direction == "client" and vector.file in CLIENT_MESSAGES:
            message = parse_client_message(vector.frame)
            if vector.file == "set_facts" or "'parameters'" in repr(vector.body):
                continue
            assert hash(message) == hash(parse_client_message(vector.frame))


def test_a_message_that_breaks_a_limit_cannot_be_made() -> None:
    with pytest.raises(ValidationError):
        Heard(
            script="s", call=0, npc="n", speaker=SpeakerView(kind="narrator"), text="", deadline_s=1
        )


def test_a_client_ignores_what_a_newer_server_adds_at_any_depth() -> None:
    heard = parse_server_message(
        b'{"type":"heard","new":1,"script":"s","call":1,"npc":"n","text":"x","deadline_s":1,'
        b'"speaker":{"kind":"player","id":"ann","mood":"good"}}'
    )
    assert isinstance(heard, Heard)
    assert heard.speaker == SpeakerView(kind="player", id="ann")


def test_every_object_a_server_sends_is_tolerant_and_every_one_a_client_sends_is_strict() -> None:
    def extras(messages: list[type[BaseModel]]) -> set[str | None]:
        found: dict[str, type[BaseModel]] = {}
        for message in messages:
            found |= {message.__name__: message} | wire_parts(message)
        return {model.model_config.get("extra") for model in found.values()}

    assert extras(list(CLIENT_MESSAGES.values())) == {"forbid"}
    assert extras(list(SERVER_MESSAGES.values())) == {"ignore"}


def wire_parts(message: type[BaseModel]) -> dict[str, type[BaseModel]]:
    names = set(message.model_json_schema().get("$defs", {}))
    return {name: part for name, part in all_parts().items() if name in names}


def test_a_speaker_can_be_passed_on() -> None:
    said = Speaker(kind="player", id="ann")
    heard = Heard(script="s", call=1, npc="n", speaker=said, text="x", deadline_s=1)
    assert b'"speaker":{"kind":"player","id":"ann"}' in encode(heard)


def test_known_codes_become_error_codes_and_new_ones_stay_text() -> None:
    known = parse_server_message(b'{"type":"error","code":"bad_json","message":"m"}')
    new = parse_server_message(b'{"type":"error","code":"brand_new","message":"m"}')
    assert isinstance(known, Error)
    assert isinstance(new, Error)
    assert isinstance(known.code, ErrorCode)
    assert new.code == "brand_new"
    assert encode(Error(code=ErrorCode.INTERNAL, message="m")) == (
        b'{"type":"error","code":"internal","message":"m"}'
    )


def test_a_missing_field_tells_all_that_are_required() -> None:
    error = refusal('{"type":"say","id":1}')
    assert error.message == "say.speaker: required, like all of: id, speaker, text"
    assert (error.field, error.value) == ("speaker", None)


def test_a_close_miss_of_a_required_field_is_named() -> None:
    assert "(found 'Seq' instead)" in refusal('{"type":"ack","Seq":1}').message
    nested = refusal(say(speaker={"knd": "player"}))
    assert nested.message == "say.speaker.kind: required, like all of: kind (found 'knd' instead)"


def test_an_unknown_field_suggests_the_right_one() -> None:
    assert refusal(say(maxTokens=5)).message == (
        "say.maxTokens: there is no such field; did you mean 'max_tokens'?"
    )
    nested = refusal(say(sampling={"temprature": 1}))
    assert nested.message.endswith("did you mean 'temperature'?")
    assert nested.field == "sampling.temprature"


def test_an_unknown_field_like_no_other_lists_the_known_ones() -> None:
    assert refusal('{"type":"ack","seq":1,"qq":1}').message == (
        "ack.qq: there is no such field; known fields: type, seq"
    )


def test_an_unknown_type_suggests_the_right_one() -> None:
    assert refusal('{"type":"sya"}').message.endswith("did you mean 'say'?")
    assert refusal('{"type":"Spawn"}').message.endswith("did you mean 'spawn'?")
    assert refusal('{"type":"zzzzz"}').message.endswith("here")


def test_the_id_of_a_request_is_read_even_if_the_rest_is_bad() -> None:
    assert refusal(say(id=7, text="")).request_id == 7
    for unreadable in (0, -1, 1.5, True, "7", 2**53, None):
        assert refusal(say(id=unreadable)).request_id is None
    assert refusal('{"type":"cancel","id":7,"zzz":1}').request_id is None
    assert refusal('{"type":"zzz","id":7}').request_id is None
    assert refusal('{"type":"say","id":7').request_id is None


def test_a_broken_limit_is_named() -> None:
    error = refusal(say(text="x" * 4001))
    assert (error.field, error.limit) == ("text", 4000.0)
    assert error.value is not None
    assert len(error.value) == 80


def test_a_place_in_a_list_is_named() -> None:
    npcs = [{"npc": "a", "name": "A"}, {"npc": "b c", "name": "B"}]
    error = refusal(json.dumps({"type": "spawn", "id": 1, "npcs": npcs}))
    assert (error.field, error.value) == ("npcs.1.npc", '"b c"')


def test_the_value_is_shown_as_json() -> None:
    assert refusal(say(id=True)).value == "true"
    assert refusal(say(text=None)).value == "null"


@pytest.mark.parametrize(
    "secret",
    [
        {"token": "hunter2" * 200},
        {"token": ["hunter2"]},
        {"resume": "hunter2"},
        {"resume": {"session": "s", "token": "hunter2" * 20, "last_seq": 0}},
        {"resume": {"session": "s", "token": "t", "last_seq": 0, "tokn": "hunter2"}},
        {"tokens": "hunter2"},
        {"password": {"is": "hunter2"}},
        {"client": {"name": "c", "version": "1", "token_": "hunter2"}},
    ],
)
def test_tokens_are_never_shown(secret: dict[str, Any]) -> None:
    hello = {
        "type": "hello",
        "role": "game",
        "world": "w",
        "client": {"name": "c", "version": "1"},
    }
    error = refusal(json.dumps(hello | secret))
    assert "hunter2" not in f"{error.message}{error.value}"


def test_a_large_value_is_not_read_to_show_its_beginning() -> None:
    class Watched(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            for at in range(1_000_000):
                assert at < 100, "read on past what is shown"
                yield [at]

    assert shown(Watched([1])).startswith("[[0], [1], ")
    assert len(shown({"k": ["x" * 1_000_000]})) == 80


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"type":"say","x":1,"text":5,"npc":7,"id":1}', "npc"),
        ('{"text":5,"type":"say","speaker":{"name":5,"kind":"god"},"id":1}', "speaker.kind"),
        ('{"type":"spawn","players":[{"player":""}],"npcs":[{"name":""}],"id":1}', "npcs.0.npc"),
        ('{"zz":1,"type":"ack","seq":-1}', "seq"),
        ('{"zz":1,"type":"ack","seq":1}', "zz"),
    ],
)
def test_the_first_wrong_field_of_the_table_is_blamed(text: str, field: str) -> None:
    assert refusal(text).field == field


def test_a_long_list_of_bad_items_is_given_up_at_the_first() -> None:
    error = refusal('{"type":"spawn","id":1,"npcs":[' + ",".join(["1"] * 300_000) + "]}")
    assert error.field == "npcs.0"
    cause = error.__context__
    assert isinstance(cause, ValidationError)
    assert cause.error_count() == 1


def test_a_message_with_too_many_faults_is_refused_as_a_whole() -> None:
    unknown = ",".join(f'"f{i}":1' for i in range(201))
    error = refusal(f'{{"type":"bye",{unknown}}}')
    assert (error.field, error.limit) == (None, 200.0)
    assert error.message == "more than 200 fields of this message are wrong or not defined"


def test_an_error_is_short_however_long_the_message() -> None:
    for text in (
        '{"type":"%s"}' % ("x" * 500_000),
        '{"type":"bye","%s":1}' % ("x" * 500_000),
        '{"type":"ack","%s":1}' % ("seq" * 200_000),
        say(text="x" * 500_000),
        say(npc="é" * 500_000),
    ):
        error = refusal(text)
        assert len(f"{error.message}{error.field}{error.value}") < 500


def test_the_package_exports_what_its_modules_do() -> None:
    modules = (
        *("adapters", "base", "codec", "errors", "fields", "observe", "saves", "script"),
        *("session", "talk", "tick", "world"),
    )
    expected = {name for m in modules for name in getattr(wire, m).__all__}
    assert set(wire.__all__) == expected
    assert len(wire.__all__) == len(expected)
    for name in expected:
        assert getattr(wire, name) is not None
