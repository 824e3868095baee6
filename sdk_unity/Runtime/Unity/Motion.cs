using Callsheet.Core;
using UnityEngine;

namespace Callsheet
{
    /// <summary>Turns the positions of a transform into positions and velocities.</summary>
    internal struct Motion
    {
        private Vector3 _last;
        private double _lastTimeS;
        private bool _known;

        /// <summary>Tells where a transform is, and how fast it went there since the last call.</summary>
        internal void Tell(Mover mover, Vector3 position, double gameTimeS)
        {
            double elapsedS = gameTimeS - _lastTimeS;
            Vector3 velocity = _known && elapsedS > 0 ? (position - _last) / (float)elapsedS : Vector3.zero;
            if (elapsedS > 0 || !_known)
            {
                _last = position;
                _lastTimeS = gameTimeS;
                _known = true;
            }
            mover.SetMotion(position.x, position.y, position.z, velocity.x, velocity.y, velocity.z);
        }

        /// <summary>The next position is a jump, not a movement.</summary>
        internal void Forget() => _known = false;
    }
}
