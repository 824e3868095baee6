using System;
using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <content>What comes in is handed out, what goes out is queued.</content>
    public sealed partial class Session
    {
        private void Dispatch()
        {
            for (int i = 0; i < _options.MaxMessagesPerTick && _inflow.Inbox.Count > 0; i++)
            {
                HandleNext();
            }
        }

        private void HandleNext()
        {
            ServerMessage message = _inflow.Inbox.Take();
            var reliable = message as ReliableMessage;
            if (reliable != null && reliable.Seq.HasValue)
            {
                _resume.Handled(reliable.Seq.Value);
            }
            var welcome = message as WelcomeMessage;
            if (welcome != null)
            {
                Enter(welcome);
            }
            else
            {
                Deliver(message);
            }
        }

        private void Deliver(ServerMessage message)
        {
            if (message is EngineProgressMessage && State == SessionState.Greeting)
            {
                // It does not wait in vain.
                _deadlineS = _nowS + _options.ConnectTimeoutS;
            }
            long id = message.RequestId ?? 0;
            IRequestHandler handler = _ledger.Find(id);
            bool more = message is ReplyStartMessage || message is ReplyDeltaMessage || message is ActionMessage
                || (message is ReplyEndMessage end && end.More == true);
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
            Welcome = welcome;
            FailuresInARow = 0;
            _backoff.Reset();
            _heartbeat.Start(_nowS, welcome.HeartbeatIntervalS);
            _resume.Begin(_nowS, welcome.Resumed);
            _rate.Start(_nowS, welcome.Limits.MaxMessagesPerS);
            int lost = 0;
            if (welcome.Resumed)
            {
                _outbox.PutBefore(() =>
                {
                    foreach (RequestMessage request in _ledger.SentAfter(welcome.LastRequestId))
                    {
                        Write(request);
                    }
                });
            }
            else
            {
                lost = _outbox.Clear();
            }
            SetState(SessionState.Open);
            if (!welcome.Resumed)
            {
                FailRequests("the session ended before the answer came", false);
            }
            if (lost > 0)
            {
                Raise(new CallsheetError(ErrorCode.SessionLost, lost + " messages were not sent before the session ended"));
            }
            if (State != SessionState.Open)
            {
                // A handler stopped the session.
                return;
            }
            Guard(() => Opened?.Invoke(welcome));
            string lag = Versions.Lag(welcome.Protocol);
            if (lag != null)
            {
                Guard(() => VersionWarning?.Invoke(lag));
            }
        }

        private void SendRequests()
        {
            while (_ledger.HasWaiting && _rate.Allows(_nowS) && _ledger.Open < Welcome.Limits.MaxOpenRequests)
            {
                RequestMessage request = _ledger.TakeNext(out IRequestHandler handler);
                Write(request);
                Guard(() => handler?.OnSent(request.Id));
            }
        }

        private void SendAck()
        {
            if (_resume.AckIsDue(_nowS, out long seq))
            {
                _ack.Seq = seq;
                Write(_ack);
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

        private void Write(ClientMessage message)
        {
            Encode(message);
            _outbox.Add(FrameKind.Text, _writer.Buffer, _writer.Count, false);
            _rate.Spend();
        }
    }
}
