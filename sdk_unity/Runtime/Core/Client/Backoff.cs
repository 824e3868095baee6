using System;

namespace Callsheet.Core
{
    /// <summary>Waits between attempts: they double up to a limit, each shortened by up to half at random.</summary>
    internal sealed class Backoff
    {
        private readonly double _minS;
        private readonly double _maxS;
        private uint _random;
        private double _nextS;

        internal Backoff(double minS, double maxS, uint seed)
        {
            _minS = minS;
            _maxS = maxS;
            _random = seed == 0 ? 1 : seed;
            Reset();
        }

        internal void Reset() => _nextS = _minS;

        /// <summary>The next wait, in seconds.</summary>
        internal double Next()
        {
            // xorshift32 (Marsaglia 2003).
            _random ^= _random << 13;
            _random ^= _random >> 17;
            _random ^= _random << 5;
            double waitS = _nextS * (0.5 + (0.5 * (_random / (double)uint.MaxValue)));
            _nextS = Math.Min(_nextS * 2, _maxS);
            return waitS;
        }
    }
}
