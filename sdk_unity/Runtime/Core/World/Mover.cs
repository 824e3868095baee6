using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>What NPCs and players have in common: a handle, and where they are.</summary>
    public abstract class Mover
    {
        internal float X;
        internal float Y;
        internal float Z;
        internal float Vx;
        internal float Vy;
        internal float Vz;
        private float _sentX;
        private float _sentY;
        private float _sentZ;
        private float _sentVx;
        private float _sentVy;
        private float _sentVz;

        internal Mover(string id)
        {
            Id = id;
        }

        /// <summary>The server refused to spawn it, for a fault of its own; the field is that of its spec.</summary>
        public event Action<CallsheetError> Refused;

        /// <summary>Unique among the NPCs, or among the players, of the world.</summary>
        public string Id { get; }

        /// <summary>True if the server knows it, so that ticks can name it.</summary>
        public bool IsSpawned => Presence == Presence.Spawned;

        /// <summary>
        /// Why the server will not have it; null if it does, or has not answered. An NPC is tried again
        /// when it is updated, and everybody in a new session.
        /// </summary>
        public CallsheetError Refusal { get; internal set; }

        /// <summary>The server's number for it; only while spawned.</summary>
        public uint Handle { get; internal set; }

        /// <summary>False: left out of keyframes; the server expects no call from it.</summary>
        public bool IsActive { get; internal set; } = true;

        internal Presence Presence { get; set; }

        /// <summary>The server does not know it yet, and may.</summary>
        internal bool IsExpected => Presence == Presence.Arriving || Presence == Presence.UnderWay;

        /// <summary>A tick of this session named it.</summary>
        internal bool WasNamed { get; set; }

        /// <summary>Has a place: the position set last can be told.</summary>
        internal bool HasPlace { get; private set; }

        /// <summary>Tells where it is, in m and m/s. Cheap enough for every frame.</summary>
        /// <exception cref="ArgumentOutOfRangeException">A component is not finite or beyond 1e7.</exception>
        public void SetMotion(float x, float y, float z, float vx, float vy, float vz)
        {
            if (!TrySetMotion(x, y, z, vx, vy, vz))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(x), Id + ": position (" + x + ", " + y + ", " + z + ") and velocity (" + vx + ", " + vy + ", " + vz
                    + ") must be finite and within 1e7");
            }
        }

        /// <summary>
        /// As <see cref="SetMotion"/>; false if a component is not finite or beyond 1e7. Ticks then leave it
        /// out until it has a place again; the server counts it as inactive from the next keyframe on.
        /// </summary>
        public bool TrySetMotion(float x, float y, float z, float vx, float vy, float vz)
        {
            HasPlace = Fits(x) && Fits(y) && Fits(z) && Fits(vx) && Fits(vy) && Fits(vz);
            if (!HasPlace)
            {
                return false;
            }
            X = x;
            Y = y;
            Z = z;
            Vx = vx;
            Vy = vy;
            Vz = vz;
            return true;
        }

        internal void Refuse(CallsheetError why)
        {
            if (Presence == Presence.Refused)
            {
                Refusal = why;
                Refused?.Invoke(why);
            }
        }

        internal bool Moved(float stepM, float stepMps) =>
            Far(X - _sentX, Y - _sentY, Z - _sentZ, stepM) || Far(Vx - _sentVx, Vy - _sentVy, Vz - _sentVz, stepMps);

        internal void Sent()
        {
            WasNamed = true;
            _sentX = X;
            _sentY = Y;
            _sentZ = Z;
            _sentVx = Vx;
            _sentVy = Vy;
            _sentVz = Vz;
        }

        private static bool Fits(float value) => value >= -1e7f && value <= 1e7f;

        private static bool Far(float x, float y, float z, float step) => (x * x) + (y * y) + (z * z) > step * step;
    }
}
