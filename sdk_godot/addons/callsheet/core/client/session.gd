@tool
extends RefCounted
## One client session of callsheet.v1: connects, reconnects, resumes, and loses no reliable message.
##
## A state machine without threads, timers or a clock: `tick` does all the work and sends every signal.

const Backoff := preload("backoff.gd")
const CloseRules := preload("close_rules.gd")
const Codec := preload("../messages/codec.gd")
const Heartbeat := preload("heartbeat.gd")
const Inflow := preload("inflow.gd")
const Outflow := preload("outflow.gd")
const Protocol := preload("../messages/protocol.gd")
const RequestHandler := preload("request_handler.gd")
const ResumePoint := preload("resume_point.gd")
const SessionOptions := preload("session_options.gd")
const TickWriter := preload("tick_writer.gd")
const Transport := preload("../transport/transport.gd")
const Versions := preload("../messages/versions.gd")

## Not started, or stopped by the game. The WebSocket is being opened. It is open, `welcome` is awaited.
## Messages flow. The connection broke or never was; the next attempt comes after a wait. The goodbye
## is on its way. The server refused in a way that trying again does not change, see `last_error`.
enum State { STOPPED, CONNECTING, GREETING, OPEN, WAITING, CLOSING, FAILED }

signal state_changed(old: State, new: State)
## The session is open. If `welcome.resumed` is false, nothing of an earlier one is left on the server.
signal opened(welcome: Dictionary)
## Every message but `welcome` and `pong`, after the handler of its request.
signal received(message: Dictionary)
## What went wrong: refused messages, bad frames, and the first failure of an outage.
signal error_raised(error: CallsheetError)
## The server speaks an older minor version; the text says what to upgrade.
signal version_warning(text: String)

## The parts of a reply before its end; what else has a request's id answers it.
const PARTS_OF_REPLY := ["reply_start", "reply_delta", "action"]

var state := State.STOPPED
## What the server said when the session opened last; empty before that.
var welcome := {}
## Null if there was none.
var last_error: CallsheetError
## Attempts to connect that failed since the session was open last.
var failures_in_a_row := 0
## When the next attempt comes, on the clock of `tick`; only while waiting.
var next_attempt_s := -INF

var _options: SessionOptions
var _connect: Callable
var _codec := Codec.new()
var _outflow := Outflow.new(_codec)
var _heartbeat := Heartbeat.new()
var _resume := ResumePoint.new()
var _inflow: Inflow
var _backoff: Backoff
var _transport: Transport
var _now_s := -INF
var _deadline_s := INF
var _grace_ends_s := -INF


## The options are not to be changed while the session uses them; the callable makes the transport of
## one connection.
func _init(options: SessionOptions, connect_transport: Callable) -> void:
	_options = options
	_connect = connect_transport
	_inflow = Inflow.new(_codec, _heartbeat, _resume, options.max_queued_frames)
	_backoff = Backoff.new(options.reconnect_min_s, options.reconnect_max_s, options.jitter_seed)


## Frames that wait for the next tick.
func backlog() -> int:
	return _inflow.backlog()


## Requests sent and not answered.
func open_requests() -> int:
	return _outflow.ledger.open_count()


## Server clock minus the clock of `tick`; NAN until measured.
func clock_offset_s() -> float:
	return _heartbeat.clock_offset_s


## The quickest of the last round trips; NAN until measured.
func round_trip_s() -> float:
	return _heartbeat.round_trip_s


## True if a tick would be sent now: the session is open and the last one is out.
func can_send_tick() -> bool:
	return state == State.OPEN and _outflow.box.ticks == 0


## Begin to connect at the next tick. A goodbye that is on its way is cut short.
func start() -> void:
	if state == State.CLOSING:
		_lost(CloseRules.ABNORMAL, "started again")
	if state != State.STOPPED and state != State.FAILED:
		return
	var fault := _options.fault()
	if not fault.is_empty():
		_set_state(State.FAILED)
		_raise(CallsheetError.new("bad_value", fault))
		return
	failures_in_a_row = 0
	_backoff.reset()
	_resume.forget()
	next_attempt_s = -INF
	_set_state(State.WAITING)


## Say goodbye; the session ends for good, and unanswered requests fail. Keep ticking until stopped.
func stop() -> void:
	if state == State.CLOSING:
		return
	if state != State.OPEN and state != State.GREETING:
		abort()
		return
	_forget()
	_outflow.write({ "type": "bye" })
	_outflow.box.pump(_transport)
	_deadline_s = _now_s + _options.close_timeout_s
	_set_state(State.CLOSING)
	_outflow.fail_requests("the session was stopped", true)


## Drop the connection without a goodbye: until its grace is over, the server counts the session as alive.
func abort() -> void:
	_forget()
	_drop_transport()
	_set_state(State.STOPPED)
	_outflow.fail_requests("the session was stopped", true)


## Queue a request. It is sent in order as soon as the session is open and the server's limits allow, and
## sent again if a lost connection is resumed and the server had not taken it. Requests that set up the
## world go first, before all others. Return null, or why the protocol does not allow it.
func request(
	message: Dictionary, handler: RequestHandler = null, first := false
) -> CallsheetError:
	var judged := _codec.judge_request(message)
	var error := _codec.error
	if not error and _is_hopeless():
		error = CallsheetError.new(
			CallsheetError.CONNECTION_FAILED, "there is no connection to the server"
		)
	if error:
		if handler:
			handler.on_failed(error)
		return error
	_outflow.ledger.add(judged, handler, first)
	return null


## Tell why the protocol does not allow a request; null if it does.
func fault_of(message: Dictionary) -> CallsheetError:
	_codec.judge_request(message)
	return _codec.error


## Take back the request of a handler that was not sent yet; false if it was.
func withdraw(handler: RequestHandler) -> bool:
	return _outflow.ledger.withdraw(handler)


## Queue a message that has no answer (`cancel`, `action_result`, `hear_answer`). It outlives a lost
## connection that is resumed. Return false if no session is there to take it, or if it breaks a rule.
func send(message: Dictionary) -> bool:
	var judged := _codec.judge(message)
	if _codec.error:
		_raise(_codec.error)
		return false
	if state == State.STOPPED or state == State.CLOSING or not _resume.exists():
		return false
	_outflow.write(judged, true)
	return true


## Queue a tick. False if the session is not open or the tick before still waits: send later, with what
## changed by then.
func try_send_tick(tick_writer: TickWriter) -> bool:
	if not can_send_tick():
		return false
	var limit: int = welcome.limits.max_tick_bytes
	if tick_writer.size() > limit:
		var what := "a tick of %d bytes was not sent: the server takes %d; send fewer NPCs"
		var error := CallsheetError.new("message_too_large", what % [tick_writer.size(), limit])
		error.limit = limit
		_raise(error)
		return false
	_outflow.box.add_tick(tick_writer.frame())
	_outflow.box.pump(_transport)
	return true


## Do everything that is due, by seconds on any clock that never goes back.
func tick(now_s: float) -> void:
	_now_s = maxf(_now_s, now_s)
	if state == State.WAITING and _now_s >= next_attempt_s:
		_open_transport()
	elif state == State.WAITING and _resume.exists() and _now_s >= _grace_ends_s:
		_resume.forget()
		_outflow.fail_requests("the connection was lost for longer than the server keeps a session", true)
	if _transport:
		_heartbeat.tick(_now_s)
		_listen()
	if state == State.OPEN:
		_outflow.send_requests(_now_s, welcome.limits.max_open_requests)
		_send_signs_of_life()
	if state == State.OPEN or state == State.CLOSING:
		_outflow.box.pump(_transport)


func _open_transport() -> void:
	_inflow.restart()
	_deadline_s = _now_s + _options.connect_timeout_s
	_transport = _connect.call()
	_transport.open(_options.url)
	_set_state(State.CONNECTING)


## Read what came, then do what follows from the state of the connection and from time.
func _listen() -> void:
	var transport := _transport
	transport.poll()
	var is_closed := transport.state() == Transport.State.CLOSED
	if state != State.CLOSING:
		_inflow.fill(transport, _now_s)
		for i in mini(_options.max_messages_per_frame, _inflow.backlog()):
			_handle_next()
			if _transport != transport or state == State.CLOSING:
				return
	var is_read := transport.available() == 0 and _inflow.backlog() == 0
	if is_closed and (is_read or state == State.CLOSING):
		_lost(transport.close_code(), transport.close_reason())
	elif not is_closed:
		_advance()


## What follows from an open connection and from time.
func _advance() -> void:
	var is_late := _now_s >= _deadline_s
	if state == State.CONNECTING and _transport.state() == Transport.State.OPEN:
		_send_hello()
		_set_state(State.GREETING)
	elif state == State.CONNECTING and is_late:
		_lost(CloseRules.ABNORMAL, "no connection within %s s" % _options.connect_timeout_s)
	elif state == State.GREETING and is_late and _inflow.backlog() == 0:
		_lost(CloseRules.ABNORMAL, "no welcome within %s s" % _options.connect_timeout_s)
	elif state == State.OPEN and _heartbeat.is_dead(_now_s):
		_lost(Protocol.Close.HEARTBEAT_TIMEOUT, "nothing was heard for three heartbeats")
	elif state == State.CLOSING and is_late:
		_lost(CloseRules.ABNORMAL, "the server did not answer the goodbye")
	elif state == State.CLOSING and _outflow.box.is_empty() and _transport.can_send():
		_transport.close(Protocol.Close.NORMAL)


## The connection is over: ends, fails or waits for the next attempt.
func _lost(code: int, reason: String) -> void:
	_drop_transport()
	_inflow.clear()
	if state == State.CLOSING:
		_outflow.box.clear()
		_set_state(State.STOPPED)
		return
	_outflow.box.keep_survivors()
	if state == State.OPEN:
		_grace_ends_s = _now_s + welcome.resume_grace_s
	if not CloseRules.is_resumable(code):
		_resume.forget()
	var why := CloseRules.why(code, reason)
	if CloseRules.reconnects(code):
		_wait(code, why)
		return
	_set_state(State.FAILED)
	if not _inflow.is_explained:
		_raise(
			CallsheetError.new(CallsheetError.SESSION_LOST, "the server ended the session: " + why)
		)
	_outflow.fail_requests("the session ended: " + why, true)


func _wait(code: int, why: String) -> void:
	next_attempt_s = _now_s + maxf(_backoff.next_s(), _inflow.reconnect_after_s)
	failures_in_a_row += 1
	_set_state(State.WAITING)
	if failures_in_a_row == 1 and not _inflow.is_explained:
		var what := "no connection to %s (%s); trying again in the background"
		var error := CallsheetError.new(
			CallsheetError.CONNECTION_FAILED, what % [_options.url, why]
		)
		error.value = str(code)
		_raise(error)
	if not _resume.exists():
		_outflow.fail_requests("there is no connection to the server", true)


func _handle_next() -> void:
	var judgement := _inflow.judge_next(_now_s)
	if _inflow.error:
		_raise(_inflow.error)
	match judgement:
		Inflow.Judgement.HOLE:
			_lost(CloseRules.ABNORMAL, "a message is missing")
		Inflow.Judgement.WRONG_VERSION:
			_lost(Protocol.Close.VERSION_MISMATCH, "another major version")
		Inflow.Judgement.MESSAGE:
			var message := _inflow.message
			if message.has("seq"):
				_resume.handled(message.seq)
			if message.type == "welcome":
				_enter(message)
			else:
				_deliver(message)


func _deliver(message: Dictionary) -> void:
	if message.type == "engine_progress" and state == State.GREETING:
		_deadline_s = _now_s + _options.connect_timeout_s  # It does not wait in vain.
	var id: int = message.get("id", 0)
	var handler := _outflow.ledger.find(id)
	if not (message.type in PARTS_OF_REPLY or message.get("more", false)):
		_outflow.ledger.close(id)
	if message.type == "error":
		var error := CallsheetError.of(message)
		if handler:
			handler.on_failed(error)
		_raise(error)
	elif handler:
		handler.on_message(message)
	received.emit(message)


func _enter(message: Dictionary) -> void:
	welcome = message
	failures_in_a_row = 0
	_backoff.reset()
	_heartbeat.start(_now_s, welcome.heartbeat_interval_s)
	var lost := _outflow.begin(welcome, _now_s)
	_set_state(State.OPEN)
	if not welcome.resumed:
		_outflow.fail_requests("the session ended before the answer came", false)
	if lost > 0:
		var what := "%d messages were not sent before the session ended" % lost
		_raise(CallsheetError.new(CallsheetError.SESSION_LOST, what))
	if state != State.OPEN:
		# Somebody who was told has stopped the session.
		return
	opened.emit(welcome)
	var lag := Versions.lag(welcome.protocol)
	if not lag.is_empty():
		version_warning.emit(lag)


func _send_hello() -> void:
	var hello := _options.hello()
	if _resume.exists():
		hello.resume = _resume.to_wire()
	_transport.send(_codec.encode(hello), true)


func _send_signs_of_life() -> void:
	var seq := _resume.due_ack(_now_s)
	if seq > 0:
		_outflow.write({ "type": "ack", "seq": seq })
	if _heartbeat.is_ping_due(_now_s):
		_outflow.write({ "type": "ping", "client_time_s": snappedf(_now_s, 1e-6) })


func _is_hopeless() -> bool:
	var is_over := state in [State.STOPPED, State.CLOSING, State.FAILED]
	return is_over or (failures_in_a_row > 0 and not _resume.exists())


func _forget() -> void:
	_inflow.clear()
	_outflow.box.clear()
	_resume.forget()


func _drop_transport() -> void:
	var transport := _transport
	_transport = null
	if transport:
		transport.abort()


func _set_state(new: State) -> void:
	if state != new:
		var old := state
		state = new
		state_changed.emit(old, new)


func _raise(error: CallsheetError) -> void:
	last_error = error
	error_raised.emit(error)
