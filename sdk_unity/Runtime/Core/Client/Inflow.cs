using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>How a round of reading ended.</summary>
    internal enum ReadEnd
    {
        /// <summary>Nothing is left in the transport.</summary>
        Drained,

        /// <summary>There may be more; it can wait.</summary>
        More,

        /// <summary>A reliable message is missing.</summary>
        Hole,

        /// <summary>The server speaks another major version.</summary>
        WrongVersion,
    }

    /// <summary>Judges the frames of a connection and queues their messages. Nothing a server sends makes it throw.</summary>
    internal sealed class Inflow
    {
        private const int MaxFramesPerRead = 1024;

        private readonly MessageDecoder _decoder = new MessageDecoder();
        private readonly PongMessage _pong = new PongMessage();
        private readonly Heartbeat _heartbeat;
        private readonly ResumePoint _resume;
        private readonly Action<CallsheetError> _raise;

        internal Inflow(int capacity, Heartbeat heartbeat, ResumePoint resume, Action<CallsheetError> raise)
        {
            Inbox = new Inbox(capacity);
            _heartbeat = heartbeat;
            _resume = resume;
            _raise = raise;
        }

        internal Inbox Inbox { get; }

        /// <summary>This connection brought a <c>welcome</c>, which may still be waiting in the inbox.</summary>
        internal bool IsWelcomed { get; private set; }

        /// <summary>This connection brought an error that says why it closes.</summary>
        internal bool IsExplained { get; private set; }

        /// <summary>When a server that is about to stop wants to be asked again, s; 0 = it said nothing.</summary>
        internal double ReconnectAfterS { get; private set; }

        /// <summary>A new connection begins.</summary>
        internal void Restart()
        {
            IsWelcomed = false;
            IsExplained = false;
            ReconnectAfterS = 0.0;
        }

        internal ReadEnd Read(ITransport transport, double nowS)
        {
            for (int i = 0; i < MaxFramesPerRead; i++)
            {
                if (Inbox.IsFull)
                {
                    // Who does not read cannot call the other side silent.
                    _heartbeat.Heard(nowS);
                    return ReadEnd.More;
                }
                if (!transport.TryReceive(out Frame frame))
                {
                    return ReadEnd.Drained;
                }
                _heartbeat.Heard(nowS);
                if (frame.Kind == FrameKind.Binary)
                {
                    _raise(new CallsheetError(ErrorCode.BadMessage, "the server sent a binary frame; callsheet.v1 has none"));
                    continue;
                }
                ReadEnd end = Accept(frame.Data, nowS);
                if (end != ReadEnd.More)
                {
                    return end;
                }
            }
            return ReadEnd.More;
        }

        /// <summary>Judges one text frame; <see cref="ReadEnd.More"/> if the connection can go on.</summary>
        private ReadEnd Accept(ArraySegment<byte> data, double nowS)
        {
            if (!_decoder.Open(data.Array, data.Offset, data.Count))
            {
                _raise(_decoder.Error);
                return ReadEnd.More;
            }
            if (_decoder.Is("pong") && _decoder.Into(_pong))
            {
                _heartbeat.Pong(_pong.ClientTimeS, nowS, _pong.ServerTimeS);
                return ReadEnd.More;
            }
            long seq = _decoder.Seq;
            if (seq > 0 && IsWelcomed)
            {
                long expected = _resume.Received + 1;
                switch (_resume.Take(seq))
                {
                    case Arrival.Again:
                        return ReadEnd.More;
                    case Arrival.Hole:
                        string what = "message " + expected + " is missing, " + seq + " came instead";
                        _raise(new CallsheetError(ErrorCode.BadMessage, what, "seq", seq.ToString(), expected));
                        return ReadEnd.Hole;
                }
            }
            ServerMessage message = _decoder.Error == null ? _decoder.Message() : null;
            if (message != null)
            {
                return Note(message);
            }
            // A newer server may say more than this client knows; that is no error.
            if (_decoder.Error.Code != ErrorCode.UnknownType)
            {
                _raise(_decoder.Error);
            }
            return ReadEnd.More;
        }

        /// <summary>Takes from a message what matters at once, and queues it.</summary>
        private ReadEnd Note(ServerMessage message)
        {
            switch (message.Type)
            {
                case "welcome":
                    var welcome = (WelcomeMessage)message;
                    if (IsWelcomed)
                    {
                        _raise(new CallsheetError(ErrorCode.BadMessage, "the server sent a second welcome"));
                        return ReadEnd.More;
                    }
                    string mismatch = Versions.Mismatch(welcome.Protocol);
                    if (mismatch != null)
                    {
                        IsExplained = true;
                        _raise(new CallsheetError(ErrorCode.VersionMismatch, mismatch));
                        return ReadEnd.WrongVersion;
                    }
                    IsWelcomed = true;
                    _resume.Set(welcome);
                    break;
                case "error":
                    // Said before it closes, this says why better than a close code could.
                    IsExplained |= ErrorTable.ClosesWith[(int)CallsheetError.CodeOf(((ErrorMessage)message).Code)] != 0;
                    break;
                case "draining":
                    ReconnectAfterS = ((DrainingMessage)message).ReconnectAfterS;
                    break;
            }
            Inbox.Add(message);
            return ReadEnd.More;
        }
    }
}
