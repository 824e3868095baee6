using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>How a reliable message stands to those that came before it.</summary>
    internal enum Arrival
    {
        /// <summary>The next one.</summary>
        New,

        /// <summary>It came before.</summary>
        Again,

        /// <summary>At least one before it is missing.</summary>
        Hole,
    }

    /// <summary>Where a session can be taken up again, and which reliable messages came, were handled and acked.</summary>
    internal sealed class ResumePoint
    {
        private const int AckEvery = 32;
        private const double AckIntervalS = 1;

        private string _session;
        private string _token;
        private long _received;
        private long _handled;
        private long _acked;
        private double _ackedAtS;
        private bool _hadHole;

        /// <summary>True if there is a session to resume.</summary>
        internal bool Exists => _token != null;

        /// <summary>The greatest number received in order.</summary>
        internal long Received => _received;

        /// <summary>What <c>hello</c> says of it; null if there is nothing to resume.</summary>
        internal Resume ToWire() =>
            Exists ? new Resume { Session = _session, Token = _token, LastSeq = _received } : null;

        /// <summary>The server opened or resumed a session.</summary>
        internal void Set(WelcomeMessage welcome)
        {
            _session = welcome.Session;
            _token = welcome.ResumeToken;
            _received = welcome.Resumed ? _received : 0;
        }

        /// <summary>The session is over.</summary>
        internal void Forget()
        {
            _session = null;
            _token = null;
        }

        internal Arrival Take(long seq)
        {
            if (seq <= _received)
            {
                return Arrival.Again;
            }
            if (seq > _received + 1)
            {
                if (_hadHole)
                {
                    // The replay has the same hole: this session cannot be continued.
                    Forget();
                }
                _hadHole = true;
                return Arrival.Hole;
            }
            _received = seq;
            _hadHole = false;
            return Arrival.New;
        }

        internal void Handled(long seq) => _handled = seq;

        /// <summary>Messages of the opened session are handled from now on.</summary>
        internal void Begin(double nowS, bool resumed)
        {
            _ackedAtS = nowS;
            if (!resumed)
            {
                _handled = 0;
                _acked = 0;
            }
        }

        /// <summary>True if an ack is to be sent now; <paramref name="seq"/> then counts as acked.</summary>
        internal bool AckIsDue(double nowS, out long seq)
        {
            seq = _handled;
            bool due = _handled - _acked >= AckEvery || nowS - _ackedAtS >= AckIntervalS;
            if (_handled <= _acked || !due)
            {
                return false;
            }
            _acked = _handled;
            _ackedAtS = nowS;
            return true;
        }
    }
}
