using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>One line put to several NPCs: hands what comes to the reply it belongs to.</summary>
    internal sealed class Round : IRequestHandler
    {
        private readonly List<Reply> _waiting;
        private readonly Dictionary<long, Reply> _begun = new Dictionary<long, Reply>();

        internal Round(IEnumerable<Reply> replies)
        {
            _waiting = new List<Reply>(replies);
            _waiting.ForEach(reply => reply.Round = this);
        }

        /// <summary>The line was withdrawn before it was sent.</summary>
        internal void EndUnsaid() => _waiting.ForEach(reply => reply.EndUnsaid());

        /// <summary>The replies are cancelled together, by the request's number.</summary>
        public void OnSent(long id) => _waiting.ForEach(reply => ((IRequestHandler)reply).OnSent(id));

        public void OnMessage(ServerMessage message)
        {
            switch (message.Type)
            {
                case "reply_start":
                    var start = (ReplyStartMessage)message;
                    Reply begun = _waiting.Find(reply => reply.Npc.Id == start.Npc);
                    if (begun != null)
                    {
                        _waiting.Remove(begun);
                        _begun[start.Reply] = begun;
                        begun.Take(message);
                    }
                    break;
                case "reply_delta":
                    Take(((ReplyDeltaMessage)message).Reply, message);
                    break;
                case "action":
                    Take(((ActionMessage)message).Reply, message);
                    break;
                case "reply_end":
                    Take(((ReplyEndMessage)message).Reply, message);
                    break;
            }
        }

        public void OnFailed(CallsheetError error)
        {
            var open = new List<Reply>(_begun.Values);
            open.AddRange(_waiting);
            open.ForEach(reply => reply.Fail(error));
        }

        private void Take(long number, ServerMessage message)
        {
            if (_begun.TryGetValue(number, out Reply reply))
            {
                reply.Take(message);
            }
        }
    }
}
