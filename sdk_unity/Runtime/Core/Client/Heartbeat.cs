namespace Callsheet.Core
{
    /// <summary>When to ping, when a connection counts as dead, and how far the server's clock is ahead.</summary>
    internal sealed class Heartbeat
    {
        private const int Samples = 8;
        private const int SilentIntervals = 3;

        private readonly double[] _roundTripS = new double[Samples];
        private readonly double[] _offsetS = new double[Samples];
        private int _samples;
        private double _intervalS;
        private double _lastPingS;
        private double _lastHeardS;
        private double _lastTickS;

        /// <summary>Server clock minus client clock, from the quickest of the last round trips; null before the first.</summary>
        internal double? ClockOffsetS { get; private set; }

        /// <summary>The quickest of the last round trips; null before the first.</summary>
        internal double? RoundTripS { get; private set; }

        internal void Start(double nowS, double intervalS)
        {
            _intervalS = intervalS;
            _lastHeardS = nowS;
            _lastTickS = nowS;
            _lastPingS = nowS - intervalS;
            _samples = 0;
            ClockOffsetS = null;
            RoundTripS = null;
        }

        internal void Heard(double nowS) => _lastHeardS = nowS;

        /// <summary>Time in which nobody looked (a paused or unfocused game) does not count as silence.</summary>
        internal void Tick(double nowS)
        {
            double gapS = nowS - _lastTickS;
            if (gapS > _intervalS)
            {
                _lastHeardS += gapS;
            }
            _lastTickS = nowS;
        }

        internal bool IsDead(double nowS) => nowS - _lastHeardS > SilentIntervals * _intervalS;

        internal bool PingIsDue(double nowS)
        {
            if (nowS - _lastPingS < _intervalS)
            {
                return false;
            }
            _lastPingS = nowS;
            return true;
        }

        internal void Pong(double sentS, double nowS, double serverTimeS)
        {
            if (!(sentS <= nowS))
            {
                return;
            }
            int at = _samples++ % Samples;
            _roundTripS[at] = nowS - sentS;
            _offsetS[at] = serverTimeS - ((sentS + nowS) / 2);
            int best = 0;
            for (int i = 1; i < Samples && i < _samples; i++)
            {
                best = _roundTripS[i] < _roundTripS[best] ? i : best;
            }
            RoundTripS = _roundTripS[best];
            ClockOffsetS = _offsetS[best];
        }
    }
}
