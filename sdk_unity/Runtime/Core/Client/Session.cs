using System;
using System.Collections.Generic;
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
    public sealed class Session
    {
        private const int MaxFramesReadPerTick = 1024;
        private const int AckEvery = 32;
        private const double AckIntervalS = 1;
        private const double BurstS = 2;
        private const int AbnormalClosure = 1006;
        private const int GoingAway = 1001;
        private const int NoStatus = 1005;

        private readonly SessionOptions _options;
        private readonly Uri _url;
        private readonly Func<ITransport> _connect;
        private readonly MessageDecoder _decoder = new MessageDecoder();
        private readonly JsonWriter _writer = new JsonWriter();
        private readonly Outbox _outbox = new Outbox();
        private readonly Inbox _inbox;
        private readonly RequestLedger _ledger = new RequestLedger();
        private readonly Heartbeat _heartbeat = new Heartbeat();
        private readonly Backoff _backoff;
        private readonly PingMessage _ping = new PingMessage();
        private readonly PongMessage _pong = new PongMessage();
        private readonly AckMessage _ack = new AckMessage();

        private ITransport _transport;
        private double _nowS;
        private double _deadlineS;
        private bool _welcomed;
        private bool _refusedGap;
        private string _resumeSession;
        private string _resumeToken;
        private long _receivedSeq;
        private long _handledSeq;
        private long _ackedSeq;
        private double _ackedAtS;
        private double _tokens;
        private double _tokensAtS;
        private double _drainingWaitS;
        private int _failuresInARow;
        private bool _explained;
        private double _graceEndsS;

        /// <param name="options">Copied where it matters: a later change has no effect.</param>
        /// <param name="connect">Makes the transport of one connection.</param>
        public Session(SessionOptions options, Func<ITransport> connect)
        {
            _options = options ?? throw new ArgumentNullException(nameof(options));
            _connect = connect ?? throw new ArgumentNullException(nameof(connect));
            _url = options.Check();
            _inbox = new Inbox(options.MaxQueuedMessages);
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
        public int FailuresInARow => _failuresInARow;

        /// <summary>When the next attempt comes, on the clock of <see cref="Tick"/>; only while waiting.</summary>
        public double NextAttemptS => _deadlineS;

        /// <summary>Messages waiting for the next tick.</summary>
        public int Backlog => _inbox.Count;

        /// <summary>Requests sent and not answered.</summary>
        public int OpenRequests => _ledger.Open;

        /// <summary>True if a tick would be sent now: the session is open and the last one is out.</summary>
        public bool CanSendTick => State == SessionState.Open && _outbox.Ticks == 0;

        /// <summary>Begins to connect at the next tick.</summary>
        public void Start()
        {
            if (State != SessionState.Stopped && State != SessionState.Failed)
            {
                return;
            }
            _failuresInARow = 0;
            _backoff.Reset();
            ForgetResume();
            _deadlineS = double.NegativeInfinity;
            SetState(SessionState.Waiting);
        }

        /// <summary>Says goodbye; the session ends for good, and unanswered requests fail. Keep ticking until stopped.</summary>
        public void Stop()
        {
            FailRequests("the session was stopped", true);
            _inbox.Clear();
            ForgetResume();
            if (State == SessionState.Open || State == SessionState.Greeting)
            {
                _outbox.Clear();
                Write(new ByeMessage(), false);
                _deadlineS = _nowS + _options.CloseTimeoutS;
                SetState(SessionState.Closing);
                _outbox.Pump(_transport);
            }
            else if (State != SessionState.Stopped && State != SessionState.Closing)
            {
                DropTransport();
                SetState(SessionState.Stopped);
            }
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
                || (_failuresInARow > 0 && _resumeToken == null);
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
            bool resumable = State != SessionState.Stopped && State != SessionState.Closing && _resumeToken != null;
            if (!resumable)
            {
                return false;
            }
            _outbox.Add(FrameKind.Text, _writer.Buffer, _writer.Count, true);
            _tokens--;
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
            else if (State == SessionState.Waiting && _resumeToken != null && _nowS >= _graceEndsS)
            {
                ForgetResume();
                FailRequests("the connection was lost for longer than the server keeps a session", true);
            }
            if (_transport != null)
            {
                _heartbeat.Tick(_nowS);
                bool closed = _transport.State == TransportState.Closed;
                bool drained = Read();
                Progress(closed && drained);
            }
            Dispatch();
            if (State == SessionState.Open)
            {
                SendRequests();
                SendAck();
                if (_heartbeat.PingIsDue(_nowS))
                {
                    _ping.ClientTimeS = Math.Round(_nowS, 6);
                    Write(_ping, false);
                }
            }
            if (State == SessionState.Open || State == SessionState.Closing)
            {
                _outbox.Pump(_transport);
            }
        }

        private void Connect()
        {
            _welcomed = false;
            _explained = false;
            _deadlineS = _nowS + _options.ConnectTimeoutS;
            SetState(SessionState.Connecting);
            Guard(() => _transport = _connect());
            if (_transport == null)
            {
                Lost(AbnormalClosure, "there is no transport for this platform");
                return;
            }
            _transport.Open(_url);
        }

        /// <summary>What follows from the state of the connection and from time.</summary>
        private void Progress(bool closed)
        {
            if (_transport == null)
            {
                return;
            }
            if (closed)
            {
                Lost(_transport.CloseCode, _transport.CloseReason);
                return;
            }
            if (State == SessionState.Connecting && _transport.State == TransportState.Open)
            {
                WriteHello();
                SetState(SessionState.Greeting);
            }
            if (State == SessionState.Closing)
            {
                if (_outbox.IsEmpty && _transport.CanSend)
                {
                    _transport.Close(CloseCodes.Normal);
                }
                if (_nowS >= _deadlineS)
                {
                    Lost(AbnormalClosure, "the server did not answer the goodbye");
                }
                return;
            }
            if (State == SessionState.Open && _heartbeat.IsDead(_nowS))
            {
                Lost(CloseCodes.HeartbeatTimeout, "nothing was heard for three heartbeats");
            }
            else if (State != SessionState.Open && !_welcomed && _nowS >= _deadlineS)
            {
                string what = State == SessionState.Connecting ? "no connection" : "no welcome";
                Lost(AbnormalClosure, what + " within " + _options.ConnectTimeoutS + " s");
            }
        }

        /// <summary>Takes frames from the transport into the inbox; true if none is left.</summary>
        private bool Read()
        {
            for (int i = 0; i < MaxFramesReadPerTick; i++)
            {
                if (_inbox.IsFull)
                {
                    // Who does not read cannot call the other side silent.
                    _heartbeat.Heard(_nowS);
                    return false;
                }
                if (!_transport.TryReceive(out Frame frame))
                {
                    return true;
                }
                _heartbeat.Heard(_nowS);
                if (frame.Kind == FrameKind.Binary)
                {
                    Raise(new CallsheetError(ErrorCode.BadMessage, "the server sent a binary frame; callsheet.v1 has none"));
                }
                else if (State != SessionState.Closing && !Accept(frame.Data))
                {
                    return false;
                }
            }
            return false;
        }

        /// <summary>Judges one text frame; false if the connection cannot go on.</summary>
        private bool Accept(ArraySegment<byte> data)
        {
            if (!_decoder.Open(data.Array, data.Offset, data.Count))
            {
                Raise(_decoder.Error);
                return true;
            }
            if (_decoder.Is("pong"))
            {
                if (_decoder.Into(_pong))
                {
                    _heartbeat.Pong(_pong.ClientTimeS, _nowS, _pong.ServerTimeS);
                    return true;
                }
                Raise(_decoder.Error);
                return true;
            }
            long seq = _decoder.Seq;
            if (seq > 0 && _welcomed)
            {
                if (seq <= _receivedSeq)
                {
                    return true;
                }
                if (seq > _receivedSeq + 1)
                {
                    Gap(seq);
                    return false;
                }
                _receivedSeq = seq;
                _refusedGap = false;
            }
            ServerMessage message = _decoder.Message();
            if (message == null)
            {
                // Newer servers may say more than this client knows; that is no error.
                if (_decoder.Error.Code != ErrorCode.UnknownType)
                {
                    Raise(_decoder.Error);
                }
                return true;
            }
            return Note(message);
        }

        /// <summary>Takes from a message what matters at once, and queues it.</summary>
        private bool Note(ServerMessage message)
        {
            var welcome = message as WelcomeMessage;
            if (welcome != null)
            {
                if (_welcomed || State != SessionState.Greeting)
                {
                    Raise(new CallsheetError(ErrorCode.BadMessage, "the server sent a second welcome"));
                    return true;
                }
                if (!SameMajor(welcome.Protocol))
                {
                    Refuse(welcome.Protocol);
                    return false;
                }
                _welcomed = true;
                _receivedSeq = welcome.Resumed ? _receivedSeq : 0;
                _resumeSession = welcome.Session;
                _resumeToken = welcome.ResumeToken;
            }
            var error = message as ErrorMessage;
            if (error != null && ErrorTable.ClosesWith[(int)CallsheetError.CodeOf(error.Code)] != 0)
            {
                // Said before it closes, this says why better than a close code could.
                _explained = true;
            }
            var draining = message as DrainingMessage;
            if (draining != null)
            {
                _drainingWaitS = draining.ReconnectAfterS;
            }
            _inbox.Add(message);
            return true;
        }

        private void Gap(long seq)
        {
            string what = "message " + (_receivedSeq + 1) + " is missing, " + seq + " came instead";
            Raise(new CallsheetError(ErrorCode.BadMessage, what, "seq", seq.ToString(), _receivedSeq + 1));
            if (_refusedGap)
            {
                // The replay had the same hole: this session cannot be continued.
                ForgetResume();
            }
            _refusedGap = true;
            Lost(AbnormalClosure, what);
        }

        private bool SameMajor(string protocol)
        {
            Versions.TryParse(ProtocolInfo.Protocol, out int ours, out _);
            return Versions.TryParse(protocol, out int theirs, out _) && ours == theirs;
        }

        private void Refuse(string protocol)
        {
            Versions.TryParse(ProtocolInfo.Protocol, out int ours, out _);
            bool serverIsOlder = Versions.TryParse(protocol, out int theirs, out _) && theirs < ours;
            string upgrade = serverIsOlder
                ? "upgrade the server: pip install --upgrade callsheet"
                : "upgrade the Unity package com.callsheet.sdk";
            string what = "the server speaks protocol " + protocol + ", this client " + ProtocolInfo.Protocol + "; " + upgrade;
            Raise(new CallsheetError(ErrorCode.VersionMismatch, what));
            _explained = true;
            Lost(CloseCodes.VersionMismatch, what);
        }

        /// <summary>The connection is over: ends, fails or waits for the next attempt.</summary>
        private void Lost(int code, string reason)
        {
            DropTransport();
            SessionState before = State;
            if (before == SessionState.Closing)
            {
                _outbox.Clear();
                SetState(SessionState.Stopped);
                return;
            }
            _outbox.KeepSurvivors();
            if (before == SessionState.Open)
            {
                _graceEndsS = _nowS + Welcome.ResumeGraceS;
            }
            bool resumable = CloseCodes.IsResumable(code) || code == AbnormalClosure || code == GoingAway || code == NoStatus;
            if (!resumable)
            {
                ForgetResume();
            }
            if (!Reconnects(code))
            {
                FailRequests("the session ended: " + Why(code, reason), true);
                SetState(SessionState.Failed);
                if (!_explained)
                {
                    Raise(new CallsheetError(ErrorCode.SessionLost, "the server ended the session: " + Why(code, reason)));
                }
                return;
            }
            if (_failuresInARow++ == 0 && !_explained)
            {
                string what = "no connection to " + _options.Url + " (" + Why(code, reason) + "); trying again in the background";
                Raise(new CallsheetError(ErrorCode.ConnectionFailed, what, value: code.ToString()));
            }
            if (_resumeToken == null)
            {
                FailRequests("there is no connection to the server", true);
            }
            double waitS = _backoff.Next();
            if (code == CloseCodes.Draining)
            {
                waitS = Math.Max(waitS, _drainingWaitS);
            }
            _deadlineS = _nowS + waitS;
            SetState(SessionState.Waiting);
        }

        /// <summary>False for the closes that trying again by itself does not help (see "Close codes" of the protocol).</summary>
        private static bool Reconnects(int code)
        {
            switch (code)
            {
                case CloseCodes.Normal:
                case CloseCodes.MessageTooBig:
                case CloseCodes.ProtocolError:
                case CloseCodes.Unauthorized:
                case CloseCodes.VersionMismatch:
                case CloseCodes.WorldTaken:
                case CloseCodes.Superseded:
                case CloseCodes.Flooding:
                    return false;
                default:
                    return true;
            }
        }

        private static string Why(int code, string reason) =>
            string.IsNullOrEmpty(reason) ? "closed with code " + code : reason;

        private void DropTransport()
        {
            ITransport transport = _transport;
            _transport = null;
            if (transport != null)
            {
                transport.Abort();
            }
        }

        private void ForgetResume()
        {
            _resumeSession = null;
            _resumeToken = null;
        }

        private void WriteHello()
        {
            var hello = new HelloMessage
            {
                Role = _options.Role,
                World = _options.World,
                Client = new ClientInfo { Name = _options.ClientName, Version = _options.ClientVersion },
                Token = string.IsNullOrEmpty(_options.Token) ? null : _options.Token,
            };
            if (_resumeToken != null)
            {
                hello.Resume = new Resume { Session = _resumeSession, Token = _resumeToken, LastSeq = _receivedSeq };
            }
            Encode(hello);
            _outbox.SendAhead(_transport, _writer.Buffer, _writer.Count);
        }

        private void Dispatch()
        {
            for (int i = 0; i < _options.MaxMessagesPerTick && _inbox.Count > 0; i++)
            {
                ServerMessage message = _inbox.Take();
                var reliable = message as ReliableMessage;
                if (reliable != null && reliable.Seq.HasValue)
                {
                    _handledSeq = reliable.Seq.Value;
                }
                var welcome = message as WelcomeMessage;
                if (welcome != null)
                {
                    Enter(welcome);
                    continue;
                }
                Deliver(message);
            }
        }

        private void Deliver(ServerMessage message)
        {
            long id = message.RequestId ?? 0;
            IRequestHandler handler = _ledger.Find(id);
            bool more = message is ReplyStartMessage || message is ReplyDeltaMessage || message is ActionMessage;
            if (!more)
            {
                _ledger.Close(id);
            }
            var error = message as ErrorMessage;
            if (error != null)
            {
                CallsheetError what = CallsheetError.From(error);
                Guard(() => handler?.OnFailed(what));
                Raise(what);
            }
            else
            {
                Guard(() => handler?.OnMessage(message));
            }
            Guard(() => Received?.Invoke(message));
        }

        private void Enter(WelcomeMessage welcome)
        {
            if (State != SessionState.Greeting)
            {
                return;
            }
            Welcome = welcome;
            _failuresInARow = 0;
            _backoff.Reset();
            _heartbeat.Start(_nowS, welcome.HeartbeatIntervalS);
            _ackedAtS = _nowS;
            _tokens = welcome.Limits.MaxMessagesPerS * BurstS;
            _tokensAtS = _nowS;
            if (welcome.Resumed)
            {
                _outbox.PutBefore(() =>
                {
                    foreach (RequestMessage request in _ledger.SentAfter(welcome.LastRequestId))
                    {
                        Write(request, false);
                    }
                });
            }
            else
            {
                _handledSeq = 0;
                _ackedSeq = 0;
                FailRequests("the session ended before the answer came", false);
                int lost = _outbox.Clear();
                if (lost > 0)
                {
                    Raise(new CallsheetError(ErrorCode.SessionLost, lost + " messages were not sent before the session ended"));
                }
            }
            SetState(SessionState.Open);
            Versions.TryParse(welcome.Protocol, out _, out int minor);
            Versions.TryParse(ProtocolInfo.Protocol, out _, out int ours);
            Guard(() => Opened?.Invoke(welcome));
            if (minor < ours)
            {
                Guard(() => VersionWarning?.Invoke(
                    "the server speaks protocol " + welcome.Protocol + ", this client " + ProtocolInfo.Protocol
                    + "; to use all of it upgrade the server: pip install --upgrade callsheet"));
            }
        }

        private void SendRequests()
        {
            double rate = Welcome.Limits.MaxMessagesPerS;
            _tokens = Math.Min(rate * BurstS, _tokens + ((_nowS - _tokensAtS) * rate));
            _tokensAtS = _nowS;
            while (_ledger.HasWaiting && _tokens >= 1 && _ledger.Open < Welcome.Limits.MaxOpenRequests)
            {
                RequestMessage request = _ledger.TakeNext(out IRequestHandler handler);
                Write(request, false);
                Guard(() => handler?.OnSent(request.Id));
            }
        }

        private void SendAck()
        {
            bool due = _handledSeq - _ackedSeq >= AckEvery || _nowS - _ackedAtS >= AckIntervalS;
            if (_handledSeq > _ackedSeq && due)
            {
                _ack.Seq = _handledSeq;
                _ackedSeq = _handledSeq;
                _ackedAtS = _nowS;
                Write(_ack, false);
            }
        }

        private void FailRequests(string why, bool all)
        {
            foreach (KeyValuePair<long, IRequestHandler> dropped in _ledger.Drop(all))
            {
                long? id = dropped.Key == 0 ? (long?)null : dropped.Key;
                var error = new CallsheetError(ErrorCode.SessionLost, why, requestId: id);
                Guard(() => dropped.Value?.OnFailed(error));
            }
        }

        private void Encode(ClientMessage message)
        {
            _writer.Begin(message.Type);
            message.WriteFields(_writer);
            _writer.End();
        }

        private void Write(ClientMessage message, bool survives)
        {
            Encode(message);
            _outbox.Add(FrameKind.Text, _writer.Buffer, _writer.Count, survives);
            _tokens--;
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

        private void Guard(Action action)
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
