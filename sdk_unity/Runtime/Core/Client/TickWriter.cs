using System;
using System.Runtime.InteropServices;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>What a tick says of an NPC, beside where it is.</summary>
    [Flags]
    public enum NpcFlags : uint
    {
        /// <summary>Nothing.</summary>
        None = 0,

        /// <summary>The NPC cannot talk now (asleep, dead, in a cutscene).</summary>
        Unavailable = 1,

        /// <summary>Forget the hinted call.</summary>
        ClearSchedule = 2,
    }

    /// <summary>
    /// Writes binary ticks (docs/wire-protocol.md, "Binary ticks") into a buffer that is used again and
    /// again: 32 bytes of header, 36 for each NPC, then 32 for each player, all little-endian.
    /// </summary>
    public sealed class TickWriter
    {
        /// <summary>Size of a frame's header.</summary>
        public const int HeaderBytes = 32;
        /// <summary>Size of an NPC's record.</summary>
        public const int NpcBytes = 36;
        /// <summary>Size of a player's record.</summary>
        public const int PlayerBytes = 32;

        private const byte LayoutVersion = 1;
        private const uint QuietNaN = 0x7FC00000;
        private const int NpcCountAt = 12;
        private const int PlayerCountAt = 24;

        private byte[] _buffer = new byte[4096];
        private int _npcs;
        private int _players;

        /// <summary>The frame written so far; good until the next <see cref="Begin"/>.</summary>
        public ArraySegment<byte> Frame => new ArraySegment<byte>(_buffer, 0, Count);

        /// <summary>Bytes written so far.</summary>
        public int Count { get; private set; }

        /// <summary>Begins a frame.</summary>
        /// <param name="rewind">Game time may be earlier than before; keyframes only.</param>
        public void Begin(TickKind kind, uint tick, double gameTimeS, bool ack, bool rewind = false)
        {
            if (!(gameTimeS >= 0 && gameTimeS <= 1e12))
            {
                throw new ArgumentOutOfRangeException(nameof(gameTimeS), gameTimeS, "game time must be 0 to 1e12 seconds");
            }
            Array.Clear(_buffer, 0, HeaderBytes);
            _npcs = 0;
            _players = 0;
            _buffer[0] = (byte)'C';
            _buffer[1] = (byte)'S';
            _buffer[2] = LayoutVersion;
            _buffer[3] = (byte)((int)kind + 1);
            _buffer[4] = (byte)((ack ? 1 : 0) | (rewind ? 2 : 0));
            Put(8, tick);
            ulong time = (ulong)BitConverter.DoubleToInt64Bits(gameTimeS);
            Put(16, (uint)time);
            Put(20, (uint)(time >> 32));
            Count = HeaderBytes;
        }

        /// <summary>Adds an NPC. All NPCs come before all players.</summary>
        /// <param name="nextCallS">Seconds to the next scheduled call; NaN says nothing.</param>
        public void Npc(uint handle, float x, float y, float z, float vx, float vy, float vz, float nextCallS, NpcFlags flags)
        {
            if (_players > 0)
            {
                throw new InvalidOperationException("all NPCs of a tick come before its players");
            }
            Reserve(NpcBytes);
            int at = Count;
            Put(at, handle);
            Motion(at + 4, x, y, z, vx, vy, vz);
            Put(at + 28, Bits(nextCallS));
            Put(at + 32, (uint)flags);
            Count = at + NpcBytes;
            Put(NpcCountAt, (uint)++_npcs);
        }

        /// <summary>Adds a player.</summary>
        public void Player(uint handle, float x, float y, float z, float vx, float vy, float vz)
        {
            Reserve(PlayerBytes);
            int at = Count;
            Put(at, handle);
            Motion(at + 4, x, y, z, vx, vy, vz);
            Put(at + 28, 0);
            Count = at + PlayerBytes;
            Put(PlayerCountAt, (uint)++_players);
        }

        private void Motion(int at, float x, float y, float z, float vx, float vy, float vz)
        {
            Put(at, Bits(x));
            Put(at + 4, Bits(y));
            Put(at + 8, Bits(z));
            Put(at + 12, Bits(vx));
            Put(at + 16, Bits(vy));
            Put(at + 20, Bits(vz));
        }

        private void Put(int at, uint value)
        {
            byte[] b = _buffer;
            b[at + 3] = (byte)(value >> 24);
            b[at] = (byte)value;
            b[at + 1] = (byte)(value >> 8);
            b[at + 2] = (byte)(value >> 16);
        }

        private void Reserve(int more)
        {
            if (Count + more > _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Count + more));
            }
        }

        private static uint Bits(float value)
        {
            if (float.IsNaN(value))
            {
                // .NET's NaN has its sign bit set, most others' has not; one form makes frames comparable.
                return QuietNaN;
            }
            FloatBits bits = default(FloatBits);
            bits.Value = value;
            return bits.Bits;
        }

        /// <summary>A float and its bits; <c>BitConverter.SingleToInt32Bits</c> is missing in .NET Framework profiles.</summary>
        [StructLayout(LayoutKind.Explicit)]
        private struct FloatBits
        {
            [FieldOffset(0)]
            public float Value;

            [FieldOffset(0)]
            public readonly uint Bits;
        }
    }
}
