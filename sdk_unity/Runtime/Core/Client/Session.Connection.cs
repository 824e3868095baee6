using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <content>The life of a connection: made, greeted, watched, lost.</content>
    public sealed partial class Session
    {
        private void Connect()
        {
            _inflow.Restart();
            _deadlineS = _nowS + _options.ConnectTimeoutS;
            Guard(() => _transport = _connect());
            if (_transport == null)
            {
                Lost(CloseRules.Abnormal, "there is no transport for this platform");
                return;
            }
            _transport.Open(_url);
            SetState(SessionState.Connecting);
        }

        /// <summary>Reads what came, then does what follows from the state of the connection and from time.</summary>
        private void Listen()
        {
            ITransport transport = _transport;
            bool closed = transport.State == TransportState.Closed;
            ReadEnd end = State == SessionState.Closing ? ReadEnd.Drained : _inflow.Read(transport, _nowS);
            while (State == SessionState.Greeting && _inflow.IsWelcomed)
            {
                // The session is entered before anything else can befall the connection.
                HandleNext();
            }
            if (_transport != transport)
            {
                // A handler stopped the session.
                return;
            }
            if (end == ReadEnd.Hole)
            {
                Lost(CloseRules.Abnormal, "a message is missing");
            }
            else if (end == ReadEnd.WrongVersion)
            {
                Lost(CloseCodes.VersionMismatch, "another major version");
            }
            else if (end == ReadEnd.Drained && closed)
            {
                Lost(transport.CloseCode, transport.CloseReason);
            }
            else
            {
                Advance();
            }
        }

        /// <summary>What follows from an open connection and from time.</summary>
        private void Advance()
        {
            bool late = _nowS >= _deadlineS;
            if (State == SessionState.Connecting && _transport.State == TransportState.Open)
            {
                WriteHello();
                SetState(SessionState.Greeting);
            }
            else if (State == SessionState.Connecting && late)
            {
                Lost(CloseRules.Abnormal, "no connection within " + _options.ConnectTimeoutS + " s");
            }
            else if (State == SessionState.Greeting && late && !_inflow.IsWelcomed)
            {
                Lost(CloseRules.Abnormal, "no welcome within " + _options.ConnectTimeoutS + " s");
            }
            else if (State == SessionState.Open && _heartbeat.IsDead(_nowS))
            {
                Lost(CloseCodes.HeartbeatTimeout, "nothing was heard for three heartbeats");
            }
            else if (State == SessionState.Closing && late)
            {
                Lost(CloseRules.Abnormal, "the server did not answer the goodbye");
            }
            else if (State == SessionState.Closing && _outbox.IsEmpty && _transport.CanSend)
            {
                _transport.Close(CloseCodes.Normal);
            }
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
            if (!CloseRules.IsResumable(code))
            {
                _resume.Forget();
            }
            string why = CloseRules.Why(code, reason);
            if (!CloseRules.Reconnects(code))
            {
                SetState(SessionState.Failed);
                if (!_inflow.IsExplained)
                {
                    Raise(new CallsheetError(ErrorCode.SessionLost, "the server ended the session: " + why));
                }
                FailRequests("the session ended: " + why, true);
                return;
            }
            _deadlineS = _nowS + Math.Max(_backoff.Next(), _inflow.ReconnectAfterS);
            FailuresInARow++;
            SetState(SessionState.Waiting);
            if (FailuresInARow == 1 && !_inflow.IsExplained)
            {
                string what = "no connection to " + _options.Url + " (" + why + "); trying again in the background";
                Raise(new CallsheetError(ErrorCode.ConnectionFailed, what, value: code.ToString()));
            }
            if (!_resume.Exists)
            {
                FailRequests("there is no connection to the server", true);
            }
        }

        private void DropTransport()
        {
            ITransport transport = _transport;
            _transport = null;
            if (transport != null)
            {
                transport.Abort();
            }
        }

        private void WriteHello()
        {
            var hello = new HelloMessage
            {
                Protocol = ProtocolInfo.Protocol,
                Role = _options.Role,
                World = _options.World,
                Client = new ClientInfo { Name = _options.ClientName, Version = _options.ClientVersion },
                Token = string.IsNullOrEmpty(_options.Token) ? null : _options.Token,
                Resume = _resume.ToWire(),
            };
            Encode(hello);
            _outbox.SendAhead(_transport, _writer.Buffer, _writer.Count);
        }
    }
}
