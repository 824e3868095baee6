using System.Collections.Generic;

namespace Callsheet.Core
{
    /// <summary>
    /// The NPCs, or the players, that come into the server's world and leave it.
    ///
    /// An id is despawned only if the server has said that it is spawned, and never used twice at once:
    /// who bears the id of somebody leaving waits until that one is gone.
    /// </summary>
    internal sealed class Roster<T>
        where T : Mover
    {
        private readonly List<T> _arriving = new List<T>();
        private readonly List<string> _departing = new List<string>();
        private readonly HashSet<string> _leavingIds = new HashSet<string>();

        internal void Add(T mover)
        {
            Expect(mover);
            _arriving.Add(mover);
        }

        internal void Remove(T mover)
        {
            bool unanswered = mover.Presence == Presence.UnderWay;
            if (mover.Presence == Presence.Arriving)
            {
                _arriving.Remove(mover);
            }
            else if (mover.Presence == Presence.Spawned)
            {
                _departing.Add(mover.Id);
            }
            else if (unanswered)
            {
                _leavingIds.Add(mover.Id);
            }
            mover.Presence = unanswered ? Presence.Leaving : Presence.Removed;
        }

        /// <summary>A new session: the server knows nobody of these.</summary>
        internal void Restart(List<T> all)
        {
            _arriving.Clear();
            _departing.Clear();
            _leavingIds.Clear();
            all.ForEach(Add);
        }

        /// <summary>Who can be spawned now; they are under way from here on.</summary>
        internal T[] TakeArriving()
        {
            if (_arriving.Count == 0)
            {
                return System.Array.Empty<T>();
            }
            T[] ready = _arriving.FindAll(mover => !_leavingIds.Contains(mover.Id)).ToArray();
            _arriving.RemoveAll(mover => !_leavingIds.Contains(mover.Id));
            foreach (T mover in ready)
            {
                mover.Presence = Presence.UnderWay;
            }
            return ready;
        }

        /// <summary>The ids of who is in the server's world and is to leave it.</summary>
        internal string[] TakeDeparting()
        {
            if (_departing.Count == 0)
            {
                return System.Array.Empty<string>();
            }
            string[] ids = _departing.ToArray();
            _departing.Clear();
            return ids;
        }

        /// <summary>The server has spawned it.</summary>
        internal void Arrived(T mover, uint handle)
        {
            if (mover.Presence == Presence.Leaving)
            {
                _departing.Add(mover.Id);
                Forget(mover);
                return;
            }
            mover.Presence = Presence.Spawned;
            mover.Handle = handle;
            mover.WasNamed = false;
        }

        /// <summary>Their spawn was not carried out: whoever was not removed meanwhile goes again, before all others.</summary>
        internal void TurnedBack(IEnumerable<T> movers)
        {
            var again = new List<T>();
            foreach (T mover in movers)
            {
                if (mover.Presence == Presence.Leaving)
                {
                    Forget(mover);
                }
                else if (mover.Presence == Presence.UnderWay)
                {
                    Expect(mover);
                    again.Add(mover);
                }
            }
            _arriving.InsertRange(0, again);
        }

        private static void Expect(T mover)
        {
            mover.Presence = Presence.Arriving;
            mover.Refusal = null;
        }

        private void Forget(T mover)
        {
            _leavingIds.Remove(mover.Id);
            mover.Presence = Presence.Removed;
        }
    }
}
