using Callsheet.Core;
using UnityEngine;

namespace Callsheet
{
    /// <summary>Turns the positions of an object into positions and velocities.</summary>
    internal struct Motion
    {
        /// <summary>Faster than anything walks, drives or flies in a game: the object was put elsewhere.</summary>
        private const float JumpMps = 1000f;

        private Vector3 _last;
        private double _lastTimeS;
        private bool _known;
        private bool _isAstray;

        /// <summary>
        /// Tells where an object is, and how fast it went there since the last call. One that is nowhere the
        /// server could be told of is left out until it is back, and the console says so once.
        /// </summary>
        internal void Tell(Mover mover, MonoBehaviour owner, double gameTimeS)
        {
            Vector3 position = owner.transform.position;
            double elapsedS = gameTimeS - _lastTimeS;
            Vector3 velocity = _known && elapsedS > 0 ? (position - _last) / (float)elapsedS : Vector3.zero;
            if (!(velocity.sqrMagnitude <= JumpMps * JumpMps))
            {
                velocity = Vector3.zero;
            }
            if (elapsedS != 0 || !_known)
            {
                _last = position;
                _lastTimeS = gameTimeS;
                _known = true;
            }
            bool told = mover.TrySetMotion(position.x, position.y, position.z, velocity.x, velocity.y, velocity.z);
            if (!told && !_isAstray)
            {
                Debug.LogWarning("[Callsheet] '" + owner.name + "' is at (" + position.x + ", " + position.y + ", " + position.z
                    + "), more than 1e7 m away or nowhere: it is inactive for the server until it is back", owner);
            }
            _isAstray = !told;
        }

        /// <summary>The next position is a jump, not a movement.</summary>
        internal void Forget() => _known = false;
    }
}
