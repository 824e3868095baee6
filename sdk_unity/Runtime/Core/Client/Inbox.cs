using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>
    /// Messages waiting to be handled, oldest first, at most so many.
    ///
    /// What is only worth its latest value replaces the older one where that waits; deltas of one reply
    /// that follow each other become one. Reliable messages are never dropped.
    /// </summary>
    internal sealed class Inbox
    {
        private readonly int _capacity;
        private readonly Dictionary<string, long> _latest = new Dictionary<string, long>();
        private ServerMessage[] _ring = new ServerMessage[64];
        private long _head;
        private long _tail;
        private long _droppedMoves;

        internal Inbox(int capacity)
        {
            _capacity = capacity;
        }

        internal int Count => (int)(_tail - _head);

        internal bool IsFull => Count >= _capacity;

        internal void Add(ServerMessage message)
        {
            if (Count == 0)
            {
                _latest.Clear();
            }
            var delta = message as ReplyDeltaMessage;
            if (delta != null && Count > 0 && Merge(Slot(_tail - 1) as ReplyDeltaMessage, delta))
            {
                return;
            }
            var moves = message as MovesMessage;
            if (moves != null && Count >= _capacity / 2)
            {
                _droppedMoves += moves.Moves.Length + moves.Dropped;
                return;
            }
            if (moves != null)
            {
                moves.Dropped += _droppedMoves;
                _droppedMoves = 0;
            }
            string key = Count > 0 ? Key(message) : null;
            if (key != null && _latest.TryGetValue(key, out long at) && at >= _head)
            {
                _ring[at & (_ring.Length - 1)] = message;
                return;
            }
            if (Count == _ring.Length)
            {
                Grow();
            }
            if (key != null)
            {
                _latest[key] = _tail;
            }
            _ring[_tail++ & (_ring.Length - 1)] = message;
        }

        internal ServerMessage Take()
        {
            long slot = _head++ & (_ring.Length - 1);
            ServerMessage message = _ring[slot];
            _ring[slot] = null;
            return message;
        }

        internal void Clear()
        {
            while (Count > 0)
            {
                Take();
            }
        }

        private ServerMessage Slot(long at) => _ring[at & (_ring.Length - 1)];

        /// <summary>Names what only the latest of counts; null = every one counts.</summary>
        private static string Key(ServerMessage message)
        {
            switch (message.Type)
            {
                case "stats":
                case "tick_ack":
                    return message.Type;
                case "npc_states":
                    return "npc_states" + ((NpcStatesMessage)message).Part;
                case "npc_tick":
                    var tick = (NpcTickMessage)message;
                    return tick.Script + " " + tick.Npc;
                default:
                    return null;
            }
        }

        private static bool Merge(ReplyDeltaMessage into, ReplyDeltaMessage delta)
        {
            if (into == null || into.Reply != delta.Reply || into.Id != delta.Id)
            {
                return false;
            }
            into.Text += delta.Text;
            into.Seq = delta.Seq;
            return true;
        }

        private void Grow()
        {
            var grown = new ServerMessage[_ring.Length * 2];
            for (long i = _head; i < _tail; i++)
            {
                grown[i & (grown.Length - 1)] = Slot(i);
            }
            _ring = grown;
        }
    }
}
