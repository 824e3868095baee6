using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>Who is told what becomes of a request.</summary>
    public interface IRequestHandler
    {
        /// <summary>The request was sent for the first time, under this id.</summary>
        void OnSent(long id);

        /// <summary>
        /// A message with the request's id: its answer; for <c>say</c> and <c>speak</c> also
        /// <c>reply_start</c>, <c>reply_delta</c>, <c>action</c> and, last, <c>reply_end</c>.
        /// </summary>
        void OnMessage(ServerMessage message);

        /// <summary>The request was refused, or the session ended before it was answered. Nothing follows.</summary>
        void OnFailed(CallsheetError error);
    }

    /// <summary>Requests that wait to be sent, and those sent that are not answered yet.</summary>
    internal sealed class RequestLedger
    {
        private readonly Queue<Entry> _first = new Queue<Entry>();
        private readonly LinkedList<Entry> _waiting = new LinkedList<Entry>();
        private readonly Dictionary<long, Entry> _open = new Dictionary<long, Entry>();
        private readonly List<long> _order = new List<long>();
        private long _lastId;

        private sealed class Entry
        {
            internal RequestMessage Message;
            internal IRequestHandler Handler;
        }

        /// <summary>Requests that are sent and not answered.</summary>
        internal int Open => _open.Count;

        internal bool HasWaiting => _first.Count > 0 || _waiting.Count > 0;

        /// <param name="first">Goes before all that wait and are not themselves first.</param>
        internal void Add(RequestMessage message, IRequestHandler handler, bool first)
        {
            var entry = new Entry { Message = message, Handler = handler };
            if (first)
            {
                _first.Enqueue(entry);
            }
            else
            {
                _waiting.AddLast(entry);
            }
        }

        /// <summary>Takes a waiting request back; false if it is not waiting (any more).</summary>
        internal bool Withdraw(RequestMessage message)
        {
            for (LinkedListNode<Entry> node = _waiting.First; node != null; node = node.Next)
            {
                if (ReferenceEquals(node.Value.Message, message))
                {
                    _waiting.Remove(node);
                    return true;
                }
            }
            return false;
        }

        /// <summary>Gives the oldest waiting request its id and counts it as sent.</summary>
        internal RequestMessage TakeNext(out IRequestHandler handler)
        {
            Entry entry;
            if (_first.Count > 0)
            {
                entry = _first.Dequeue();
            }
            else
            {
                entry = _waiting.First.Value;
                _waiting.RemoveFirst();
            }
            entry.Message.Id = ++_lastId;
            _open[_lastId] = entry;
            _order.Add(_lastId);
            handler = entry.Handler;
            return entry.Message;
        }

        /// <summary>Requests the server has not taken, in the order of their ids.</summary>
        internal IEnumerable<RequestMessage> SentAfter(long lastTakenId)
        {
            foreach (long id in _order)
            {
                if (id > lastTakenId)
                {
                    yield return _open[id].Message;
                }
            }
        }

        /// <summary>The handler of an open request; null if there is none.</summary>
        internal IRequestHandler Find(long id) => _open.TryGetValue(id, out Entry entry) ? entry.Handler : null;

        /// <summary>The request is answered.</summary>
        internal void Close(long id)
        {
            if (_open.Remove(id))
            {
                _order.Remove(id);
            }
        }

        /// <summary>Forgets the sent requests (and, with <paramref name="all"/>, the waiting ones); returns their handlers.</summary>
        internal List<KeyValuePair<long, IRequestHandler>> Drop(bool all)
        {
            var dropped = new List<KeyValuePair<long, IRequestHandler>>();
            foreach (long id in _order)
            {
                dropped.Add(new KeyValuePair<long, IRequestHandler>(id, _open[id].Handler));
            }
            _open.Clear();
            _order.Clear();
            // What goes first sets up one session; the next is set up anew.
            foreach (Entry entry in _first)
            {
                dropped.Add(new KeyValuePair<long, IRequestHandler>(0, entry.Handler));
            }
            _first.Clear();
            if (all)
            {
                foreach (Entry entry in _waiting)
                {
                    dropped.Add(new KeyValuePair<long, IRequestHandler>(0, entry.Handler));
                }
                _waiting.Clear();
            }
            return dropped;
        }
    }
}
