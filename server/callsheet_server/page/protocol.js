// A client of callsheet.v1 for browsers, written from docs/wire-protocol.md.
//
// It keeps one session open over as many connections as it takes: it acknowledges, pings, resumes,
// and comes back with backoff. What arrives is handed to the functions registered with `on`.

const PROTOCOL = "1.1";
const FIRST_RETRY_S = 0.1;
const LONGEST_RETRY_S = 5;
const ACK_EVERY = 32;
const ACK_AFTER_S = 1;
const SILENT_INTERVALS = 3;

// The close codes of callsheet/wire/errors.py (tests/wire/test_errors.py): after these the session
// goes on in the next connection.
const RESUMABLE = new Set([1001, 1006, 4006, 4011]);
// Close codes that blame the client: coming back would end the same way.
const FINAL = new Set([1009, 4000, 4001, 4002, 4005, 4007, 4009]);
// Server messages that complete a request.
const ANSWERS = new Set(["ok", "joined", "explanation", "reply_end"]);

export class CallsheetError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Client {
  /**
   * @param {{url: string, world: string, token?: string, name: string, version: string}} options
   */
  constructor(options) {
    this.options = options;
    this.state = "closed"; // connecting, open, waiting, refused or closed
    this.welcome = null;
    this.retryAtMs = 0;
    this._handlers = new Map();
    this._pending = new Map(); // request id -> {message, resolve, reject}
    this._startAnew();
    this._retryS = FIRST_RETRY_S;
  }

  /** Call `handler` with every message of a type; types of its own: state, session. */
  on(type, handler) {
    this._handlers.set(type, [...(this._handlers.get(type) ?? []), handler]);
  }

  connect() {
    this._enter("connecting");
    const socket = new WebSocket(this.options.url);
    this._socket = socket;
    socket.onopen = () => this._hello();
    socket.onmessage = (event) => this._receive(JSON.parse(event.data));
    socket.onclose = (event) => this._lost(event.code);
  }

  /** End the session for good. */
  close() {
    this.send({ type: "bye" });
    this._drop();
    this._startAnew();
    this._failPending("closed", "the page closed the session");
    this._enter("closed");
  }

  /** Send a message that gets no answer; without a connection it is dropped. */
  send(message) {
    if (this.state === "open") this._socket.send(JSON.stringify(message));
  }

  /** Send a request; resolves with what completes it, rejects with a CallsheetError. */
  request(message) {
    const whole = { ...message, id: ++this._lastId };
    return new Promise((resolve, reject) => {
      this._pending.set(whole.id, { message: whole, resolve, reject });
      this.send(whole);
    });
  }

  // --- the connection comes and goes ---------------------------------------------------------

  _hello() {
    const { world, token, name, version } = this.options;
    const hello = { type: "hello", protocol: PROTOCOL, role: "observer", world };
    hello.client = { name, version };
    if (token) hello.token = token;
    if (this._session) hello.resume = { ...this._session, last_seq: this._lastSeq };
    this._socket.send(JSON.stringify(hello));
  }

  _opened(welcome) {
    this.welcome = welcome;
    this._retryS = FIRST_RETRY_S;
    if (!welcome.resumed) {
      this._startAnew();
      this._failPending("internal", "the session was lost");
    }
    this._session = { session: welcome.session, token: welcome.resume_token };
    this._enter("open");
    this._pingTimer = setInterval(() => this._beat(), welcome.heartbeat_interval_s * 1000);
    for (const [id, { message }] of this._pending) {
      if (id > welcome.last_request_id) this.send(message);
    }
    if (!welcome.resumed) this._emit("session", welcome);
  }

  _beat() {
    const silentS = (performance.now() - this._heardMs) / 1000;
    if (silentS > SILENT_INTERVALS * this.welcome.heartbeat_interval_s) this._lost(1006);
    else this.send({ type: "ping", client_time_s: performance.now() / 1000 });
  }

  _lost(code) {
    this._drop();
    if (FINAL.has(code)) {
      this._failPending(this.error?.code ?? "internal", this.error?.message ?? `closed: ${code}`);
      this._enter("refused");
      return;
    }
    if (!RESUMABLE.has(code)) this._startAnew(); // its requests fail with the next welcome
    const waitS = this._reconnectAfterS ?? this._retryS * (0.5 + Math.random() / 2);
    this._reconnectAfterS = null;
    this._retryS = Math.min(2 * this._retryS, LONGEST_RETRY_S);
    this.retryAtMs = performance.now() + waitS * 1000;
    this._enter("waiting");
    this._retryTimer = setTimeout(() => this.connect(), waitS * 1000);
  }

  /** Let go of the socket without waiting for it to close. */
  _drop() {
    clearInterval(this._pingTimer);
    clearTimeout(this._retryTimer);
    clearTimeout(this._ackTimer);
    this._ackTimer = null;
    if (!this._socket) return;
    this._socket.onopen = this._socket.onmessage = this._socket.onclose = null;
    this._socket.close();
    this._socket = null;
  }

  _startAnew() {
    this._session = null;
    this._lastSeq = 0;
    this._ackedSeq = 0;
    if (this._pending.size === 0) this._lastId = 0;
  }

  _failPending(code, reason) {
    const failed = [...this._pending.values()];
    this._pending.clear();
    this._lastId = 0;
    for (const { reject } of failed) reject(new CallsheetError(code, reason));
  }

  _enter(state) {
    if (state === this.state) return;
    this.state = state;
    this._emit("state", state);
  }

  // --- messages ------------------------------------------------------------------------------

  _receive(message) {
    this._heardMs = performance.now();
    if (message.seq) {
      if (message.seq <= this._lastSeq) return; // replayed, and known already
      this._lastSeq = message.seq;
      this._acknowledge();
    }
    if (message.type === "welcome") this._opened(message);
    else if (message.type === "draining") this._reconnectAfterS = message.reconnect_after_s;
    else if (message.type === "error") this._refused(message);
    else if (message.id && ANSWERS.has(message.type)) this._settle(message);
    this._emit(message.type, message);
  }

  _acknowledge() {
    const send = () => {
      clearTimeout(this._ackTimer);
      this._ackTimer = null;
      this._ackedSeq = this._lastSeq;
      this.send({ type: "ack", seq: this._lastSeq });
    };
    if (this._lastSeq - this._ackedSeq >= ACK_EVERY) send();
    else this._ackTimer ??= setTimeout(send, (ACK_AFTER_S * 1000) / 2);
  }

  _settle(answer) {
    this._pending.get(answer.id)?.resolve(answer);
    this._pending.delete(answer.id);
  }

  _refused(error) {
    this.error = error;
    this._pending.get(error.id)?.reject(new CallsheetError(error.code, error.message));
    this._pending.delete(error.id);
  }

  _emit(type, detail) {
    for (const handler of this._handlers.get(type) ?? []) handler(detail);
  }
}
