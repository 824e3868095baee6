using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>
    /// One client session of callsheet.v1: connects, reconnects, resumes, and loses no reliable message.
    ///
    /// A state machine without threads, timers or a clock of its own: <see cref="Tick"/> does all the
    /// work, with the time it is given, and raises every event from inside that call. Nothing is thrown
    /// out of <see cref="Tick"/>, neither for what a server sends nor for what an event handler throws.
    /// </summary>
    public sealed partial class Session
    {
        private readonly SessionOptions _options;
        private Uri _url;
        private readonly Func<ITransport> _connect;
        private readonly JsonWriter _writer = new JsonWriter();
        private readonly Outbox _outbox = new Outbox();
        private readonly RequestLedger _ledger = new RequestLedger();
        private readonly Heartbeat _heartbeat = new Heartbeat();
        private readonly ResumePoint _resume = new ResumePoint();
        private readonly RateLimit _rate = new RateLimit();
        private readonly Inflow _inflow;
        private readonly Backoff _backoff;
        private readonly PingMessage _ping = new PingMessage();
        private readonly AckMessage _ack = new AckMessage();

        private ITransport _transport;
        private double _nowS;
        private double _deadlineS;
        private double _graceEndsS;

        /// <summary>Makes a session that connects, and connects again, with the transports it is given.</summary>
        /// <param name="options">To be changed only while the session is stopped.</param>
        /// <param name="connect">Makes the transport of one connection.</param>
        public Session(SessionOptions options, Func<ITransport> connect)
        {
            _options = options ?? throw new ArgumentNullException(nameof(options));
            _connect = connect ?? throw new ArgumentNullException(nameof(connect));
            _url = options.Check();
            _inflow = new Inflow(options.MaxQueuedMessages, _heartbeat, _resume, Raise);
            _backoff = new Backoff(options.ReconnectMinS, options.ReconnectMaxS, options.Seed);
        }

        /// <summary>Old state, new state.</summary>
        public event Action<SessionState, SessionState> StateChanged;

        /// <summary>The session is open. If not resumed, nothing of an earlier one is left on the server.</summary>
        public event Action<WelcomeMessage> Opened;

        /// <summary>Every message but <c>welcome</c> and <c>pong</c>, after the handler of its request.</summary>
        public event Action<ServerMessage> Received;

        /// <summary>What went wrong: refused messages, bad frames, and the first failure of an outage.</summary>
        public event Action<CallsheetError> ErrorRaised;

        /// <summary>The server speaks an older minor version; the text says what to upgrade.</summary>
        public event Action<string> VersionWarning;

        /// <summary>An event handler or request handler threw this.</summary>
        public event Action<Exception> HandlerThrew;

        /// <summary>Whether it is open.</summary>
        public SessionState State { get; private set; }

        /// <summary>What the server said when the session opened last; null before that.</summary>
        public WelcomeMessage Welcome { get; private set; }

        /// <summary>The last error; null if there was none.</summary>
        public CallsheetError LastError { get; private set; }

        /// <summary>Server clock minus the clock passed to <see cref="Tick"/>; null until measured.</summary>
        public double? ClockOffsetS => _heartbeat.ClockOffsetS;

        /// <summary>The quickest of the last round trips; null until measured.</summary>
        public double? RoundTripS => _heartbeat.RoundTripS;

        /// <summary>Attempts to connect that failed since the session was open last.</summary>
        public int FailuresInARow { get; private set; }

        /// <summary>When the next attempt comes, on the clock of <see cref="Tick"/>; only while waiting.</summary>
        public double NextAttemptS => _deadlineS;

        /// <summary>Messages waiting for the next tick.</summary>
        public int Backlog => _inflow.Inbox.Count;

        /// <summary>Requests sent and not answered.</summary>
        public int OpenRequests => _ledger.Open;

        /// <summary>True if a tick would be sent now: the session is open and the last one is out.</summary>
        public bool CanSendTick => State == SessionState.Open && _outbox.Ticks == 0;

        /// <summary>Begins to connect at the next tick. A goodbye that is on its way is cut short.</summary>
        public void Start()
        {
            if (State == SessionState.Closing)
            {
                Lost(CloseRules.Abnormal, "started again");
            }
            if (State != SessionState.Stopped && State != SessionState.Failed)
            {
                return;
            }
            _url = _options.Check();
            FailuresInARow = 0;
            _backoff.Reset();
            _resume.Forget();
            _deadlineS = double.NegativeInfinity;
            SetState(SessionState.Waiting);
        }

        /// <summary>Says goodbye; the session ends for good, and unanswered requests fail. Keep ticking until stopped.</summary>
        public void Stop()
        {
            if (State == SessionState.Closing)
            {
                return;
            }
            if (State != SessionState.Open && State != SessionState.Greeting)
            {
                Abort();
                return;
            }
            _inflow.Inbox.Clear();
            _outbox.Clear();
            _resume.Forget();
            Write(new ByeMessage());
            _outbox.Pump(_transport);
            _deadlineS = _nowS + _options.CloseTimeoutS;
            SetState(SessionState.Closing);
            FailRequests("the session was stopped", true);
        }

        /// <summary>Drops the connection without a goodbye: until its grace is over, the server counts the session as alive.</summary>
        public void Abort()
        {
            _inflow.Inbox.Clear();
            _outbox.Clear();
            _resume.Forget();
            DropTransport();
            SetState(SessionState.Stopped);
            FailRequests("the session was stopped", true);
        }

        /// <summary>
        /// Queues a request. It is sent in order as soon as the session is open and the server's limits
        /// allow, and sent again if a lost connection is resumed and the server had not taken it.
        /// </summary>
        /// <param name="first">True for requests that set up the world, which go before all others.</param>
        /// <exception cref="CallsheetException">A field breaks a rule of the protocol.</exception>
        public void Request(RequestMessage message, IRequestHandler handler = null, bool first = false)
        {
            message.Id = 1;
            Encode(message);
            bool hopeless = State == SessionState.Stopped || State == SessionState.Closing || State == SessionState.Failed
                || (FailuresInARow > 0 && !_resume.Exists);
            if (hopeless)
            {
                Guard(() => handler?.OnFailed(new CallsheetError(ErrorCode.ConnectionFailed, "there is no connection to the server")));
                return;
            }
            _ledger.Add(message, handler, first);
        }

        /// <summary>Takes back a request that was not sent yet; false if it was.</summary>
        public bool Withdraw(RequestMessage message) => _ledger.Withdraw(message);

        /// <summary>
        /// Queues a message that has no answer (<c>cancel</c>, <c>action_result</c>, <c>hear_answer</c>).
        /// It outlives a lost connection that is resumed.
        /// </summary>
        /// <returns>False if no session is there to take it.</returns>
        /// <exception cref="CallsheetException">A field breaks a rule of the protocol.</exception>
        public bool Send(ClientMessage message)
        {
            Encode(message);
            bool resumable = State != SessionState.Stopped && State != SessionState.Closing && _resume.Exists;
            if (!resumable)
            {
                return false;
            }
            _outbox.Add(FrameKind.Text, _writer.Buffer, _writer.Count, true);
            _rate.Spend();
            return true;
        }

        /// <summary>Queues a tick.</summary>
        /// <returns>False if the session is not open or the tick before still waits: send later, with what changed by then.</returns>
        public bool TrySendTick(TickWriter tick)
        {
            if (!CanSendTick)
            {
                return false;
            }
            ArraySegment<byte> frame = tick.Frame;
            if (frame.Count > Welcome.Limits.MaxTickBytes)
            {
                Raise(new CallsheetError(
                    ErrorCode.MessageTooLarge,
                    "a tick of " + frame.Count + " bytes was not sent: the server takes " + Welcome.Limits.MaxTickBytes + "; send fewer NPCs",
                    limit: Welcome.Limits.MaxTickBytes));
                return false;
            }
            _outbox.Add(FrameKind.Binary, frame.Array, frame.Count, false);
            _outbox.Pump(_transport);
            return true;
        }

        /// <summary>Does everything that is due.</summary>
        /// <param name="nowS">Seconds on any clock that never goes back.</param>
        public void Tick(double nowS)
        {
            _nowS = Math.Max(_nowS, nowS);
            if (State == SessionState.Waiting && _nowS >= _deadlineS)
            {
                Connect();
            }
            else if (State == SessionState.Waiting && _resume.Exists && _nowS >= _graceEndsS)
            {
                _resume.Forget();
                FailRequests("the connection was lost for longer than the server keeps a session", true);
            }
            if (_transport != null)
            {
                _heartbeat.Tick(_nowS);
                Listen();
            }
            Dispatch();
            if (State == SessionState.Open)
            {
                SendRequests();
                SendAck();
                if (_heartbeat.PingIsDue(_nowS))
                {
                    _ping.ClientTimeS = Math.Round(_nowS, 6);
                    Write(_ping);
                }
            }
            if (State == SessionState.Open || State == SessionState.Closing)
            {
                _outbox.Pump(_transport);
            }
        }

        /// <summary>Calls somebody else's code; what it throws is reported.</summary>
        internal void Guard(Action action)
        {
            try
            {
                action();
            }
            catch (Exception thrown)
            {
                Report(thrown);
            }
        }

        private void SetState(SessionState state)
        {
            SessionState old = State;
            if (old == state)
            {
                return;
            }
            State = state;
            Guard(() => StateChanged?.Invoke(old, state));
        }

        private void Raise(CallsheetError error)
        {
            LastError = error;
            Guard(() => ErrorRaised?.Invoke(error));
        }

        private void Report(Exception thrown)
        {
            try
            {
                HandlerThrew?.Invoke(thrown);
            }
            catch (Exception)
            {
                // A handler of thrown exceptions that throws leaves nobody to tell.
            }
        }
    }
}
