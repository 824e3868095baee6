using System;

namespace Callsheet.Core
{
    /// <summary>A token bucket: so many messages a second, in bursts of two seconds' worth.</summary>
    internal sealed class RateLimit
    {
        private const double BurstS = 2;

        private double _perS;
        private double _tokens;
        private double _filledAtS;

        internal void Start(double nowS, double perS)
        {
            _perS = perS;
            _tokens = perS * BurstS;
            _filledAtS = nowS;
        }

        internal bool Allows(double nowS)
        {
            _tokens = Math.Min(_perS * BurstS, _tokens + ((nowS - _filledAtS) * _perS));
            _filledAtS = nowS;
            return _tokens >= 1;
        }

        /// <summary>One message was sent, whether it was allowed or could not wait.</summary>
        internal void Spend() => _tokens--;
    }
}
