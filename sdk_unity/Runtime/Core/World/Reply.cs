using System;
using System.Collections;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Text;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>The states of a reply.</summary>
    public enum ReplyState
    {
        /// <summary>The NPC has not begun to answer.</summary>
        Waiting,

        /// <summary>The text comes in.</summary>
        Speaking,

        /// <summary>Complete: nothing follows.</summary>
        Ended,

        /// <summary>Refused, or the session ended: see <see cref="Reply.Error"/>. Nothing follows.</summary>
        Failed,
    }

    /// <summary>
    /// What an NPC answers, while it comes in. Awaitable: the result is the whole text. A coroutine of a
    /// game engine can yield it, and goes on when nothing follows.
    ///
    /// Events and continuations run inside the session's tick, on the game's main thread. Awaiting a
    /// reply that failed throws <see cref="CallsheetException"/>.
    /// </summary>
    public sealed class Reply : IRequestHandler, IEnumerator
    {
        private readonly Session _session;
        private readonly RequestMessage _request;
        private readonly StringBuilder _text = new StringBuilder();
        private readonly List<Action> _continuations = new List<Action>();
        private bool _cancelled;
        private long _id;
        private string _whole;

        internal Reply(Session session, Npc npc, RequestMessage request)
        {
            _session = session;
            _request = request;
            Npc = npc;
        }

        /// <summary>The NPC begins to answer.</summary>
        public event Action<Reply> Started;

        /// <summary>More of the text came; the second argument is what was added.</summary>
        public event Action<Reply, string> TextAdded;

        /// <summary>Nothing follows: the reply ended or failed.</summary>
        public event Action<Reply> Completed;

        /// <summary>Who answers.</summary>
        public Npc Npc { get; }

        /// <summary>How far it is.</summary>
        public ReplyState State { get; private set; }

        /// <summary>True once nothing follows: it ended or failed.</summary>
        public bool IsComplete => State == ReplyState.Ended || State == ReplyState.Failed;

        /// <summary>The text so far; the whole text once the reply has ended.</summary>
        public string Text => _whole ?? (_whole = _text.ToString());

        /// <summary>What is answered; empty before the reply starts and for lines given by the game.</summary>
        public string Heard { get; private set; } = "";

        /// <summary>Who is answered; null before the reply starts.</summary>
        public SpeakerView Speaker { get; private set; }

        /// <summary>How it ended, with token counts and times; null before that.</summary>
        public ReplyEndMessage End { get; private set; }

        /// <summary>Why it failed; null if it did not.</summary>
        public CallsheetError Error { get; private set; }

        /// <summary>True if this game asked; false if a mod or another NPC did.</summary>
        public bool IsOwn => _request != null;

        /// <summary>Those it answers in turn with; null if it answers alone.</summary>
        internal Round Round { get; set; }

        /// <summary>Stops the reply, and those of the others who answer in turn. It ends with what was said so far, reason "cancelled".</summary>
        public void Cancel()
        {
            if (IsComplete || _cancelled || !IsOwn)
            {
                return;
            }
            _cancelled = true;
            if (_id > 0)
            {
                _session.Send(new CancelMessage { Id = _id });
            }
            else if (_session.Withdraw(_request))
            {
                if (Round != null)
                {
                    Round.EndUnsaid();
                }
                else
                {
                    EndUnsaid();
                }
            }
        }

        object IEnumerator.Current => null;

        bool IEnumerator.MoveNext() => !IsComplete;

        void IEnumerator.Reset() => throw new NotSupportedException("a reply comes once");

        /// <summary>Lets C# await it.</summary>
        public ReplyAwaiter GetAwaiter() => new ReplyAwaiter(this);

        void IRequestHandler.OnSent(long id)
        {
            _id = id;
        }

        void IRequestHandler.OnMessage(ServerMessage message) => Take(message);

        void IRequestHandler.OnFailed(CallsheetError error)
        {
            bool unknown = error.Code == ErrorCode.UnknownNpc;
            if (unknown && !_cancelled && Npc.IsExpected)
            {
                // Its spawn was refused for the sake of another and is tried again: so is this.
                _id = 0;
                _session.Request(_request, this);
                return;
            }
            Fail(unknown ? Npc.Refusal ?? error : error);
        }

        /// <summary>It was cancelled before anything was sent.</summary>
        internal void EndUnsaid()
        {
            End = new ReplyEndMessage { Npc = Npc.Id, Text = "", FinishReason = FinishReason.Cancelled };
            Finish(ReplyState.Ended);
        }

        internal void Take(ServerMessage message)
        {
            if (IsComplete)
            {
                return;
            }
            switch (message.Type)
            {
                case "reply_start":
                    var start = (ReplyStartMessage)message;
                    Heard = start.Heard;
                    Speaker = start.Speaker;
                    State = ReplyState.Speaking;
                    Started?.Invoke(this);
                    Npc.OnReplyStarted(this);
                    break;
                case "reply_delta":
                    string added = ((ReplyDeltaMessage)message).Text;
                    _text.Append(added);
                    _whole = null;
                    TextAdded?.Invoke(this, added);
                    Npc.OnTextAdded(this, added);
                    break;
                case "action":
                    Npc.OnActed(new NpcAction(_session, Npc, (ActionMessage)message));
                    break;
                case "reply_end":
                    End = (ReplyEndMessage)message;
                    _whole = End.Text;
                    if (End.FinishReason == FinishReason.Error)
                    {
                        Fail(new CallsheetError(CallsheetError.CodeOf(End.Code), "the reply of " + Npc.Id + " failed: " + (End.Message ?? End.Code)));
                    }
                    else
                    {
                        Finish(ReplyState.Ended);
                    }
                    break;
            }
        }

        internal void Fail(CallsheetError error)
        {
            if (IsComplete)
            {
                return;
            }
            Error = error;
            Finish(ReplyState.Failed);
        }

        internal void OnCompleted(Action continuation)
        {
            if (IsComplete)
            {
                continuation();
            }
            else
            {
                _continuations.Add(continuation);
            }
        }

        private void Finish(ReplyState state)
        {
            State = state;
            try
            {
                Completed?.Invoke(this);
                Npc.OnReplyCompleted(this);
            }
            finally
            {
                foreach (Action continuation in _continuations)
                {
                    continuation();
                }
                _continuations.Clear();
            }
        }
    }

    /// <summary>Lets C# await a <see cref="Reply"/>.</summary>
    public readonly struct ReplyAwaiter : INotifyCompletion
    {
        private readonly Reply _reply;

        internal ReplyAwaiter(Reply reply)
        {
            _reply = reply;
        }

        /// <summary>True if awaiting does not wait.</summary>
        public bool IsCompleted => _reply.IsComplete;

        /// <summary>The whole text.</summary>
        /// <exception cref="CallsheetException">The reply failed.</exception>
        public string GetResult()
        {
            if (_reply.State == ReplyState.Failed)
            {
                throw new CallsheetException(_reply.Error);
            }
            return _reply.Text;
        }

        /// <summary>Calls back when nothing follows.</summary>
        public void OnCompleted(Action continuation) => _reply.OnCompleted(continuation);
    }
}
