using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <content>Where everyone is, and what time it is, told in ticks.</content>
    public sealed partial class GameWorld
    {
        private readonly TickWriter _tick = new TickWriter();
        private readonly double[] _tickSentAtS = new double[256];
        private uint _tickNumber;
        private double _gameTimeS;
        private double _nowS;
        private double _nextTickS;
        private double _nextKeyframeS;
        private bool _keyframeIsDue = true;
        private bool _rewinds;

        /// <summary>From sending a tick to its ack, by the last ack; null before that, and without <see cref="WorldOptions.AckTicks"/>.</summary>
        public double? TickRoundTripS { get; private set; }

        /// <summary>Bytes of the last tick.</summary>
        public int LastTickBytes { get; private set; }

        /// <summary>Ticks sent so far.</summary>
        public long TicksSent { get; private set; }

        /// <summary>True if <see cref="Tick"/> would send a tick now: the time to tell where everyone is.</summary>
        public bool IsTickDue(double nowS) => nowS >= _nextTickS && _session.CanSendTick && !IsLoading;

        /// <summary>Sends what is due. Call it once a frame, after <see cref="Session.Tick"/>.</summary>
        /// <param name="nowS">The clock of <see cref="Session.Tick"/>.</param>
        /// <param name="gameTimeS">
        /// Seconds on the game's own clock. It may stand still, jump ahead and go back; a server before protocol
        /// 1.3 knows no way back: there it stands still until it is later again.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException">The game time is not 0 to 1e12.</exception>
        public void Tick(double nowS, double gameTimeS)
        {
            if (!IsGameTime(gameTimeS))
            {
                throw new ArgumentOutOfRangeException(nameof(gameTimeS), gameTimeS, "game time must be 0 to 1e12 seconds");
            }
            _nowS = nowS;
            if (_session.State != SessionState.Open)
            {
                return;
            }
            _spawner.Flush();
            if (!IsTickDue(nowS))
            {
                return;
            }
            TakeTime(gameTimeS);
            _nextTickS = Math.Max(_nextTickS + (1 / Rate()), nowS);
            bool keyframe = _keyframeIsDue || nowS >= _nextKeyframeS;
            Encode(keyframe ? TickKind.Keyframe : TickKind.Delta);
            if (_session.TrySendTick(_tick))
            {
                MarkSent(keyframe);
            }
        }

        /// <summary>True if a tick can say so.</summary>
        internal static bool IsGameTime(double timeS) => timeS >= 0 && timeS <= 1e12;

        private bool CanRewind => Versions.Has(_session.Welcome.Protocol, 3);

        private double Rate() => Math.Min(_options.TicksPerS, _session.Welcome.Limits.MaxTicksPerS);

        /// <summary>A clock that went back is told with a keyframe that says so.</summary>
        private void TakeTime(double gameTimeS)
        {
            if (gameTimeS < _gameTimeS && CanRewind)
            {
                _rewinds = true;
                _keyframeIsDue = true;
            }
            _gameTimeS = _rewinds ? gameTimeS : Math.Max(_gameTimeS, gameTimeS);
        }

        private void Encode(TickKind kind)
        {
            bool all = kind == TickKind.Keyframe;
            _tick.Begin(kind, _tickNumber, _gameTimeS, _options.AckTicks, all && _rewinds);
            for (int i = 0; i < _npcList.Count; i++)
            {
                Npc n = _npcList[i];
                if (IsNamed(n, all) || (n.HasNews && n.IsSpawned && n.IsActive && n.HasPlace))
                {
                    _tick.Npc(n.Handle, n.X, n.Y, n.Z, n.Vx, n.Vy, n.Vz, n.NextCallS, n.Flags);
                }
            }
            for (int i = 0; i < _playerList.Count; i++)
            {
                Player p = _playerList[i];
                if (IsNamed(p, all))
                {
                    _tick.Player(p.Handle, p.X, p.Y, p.Z, p.Vx, p.Vy, p.Vz);
                }
            }
        }

        private bool IsNamed(Mover m, bool all) =>
            m.IsSpawned && m.IsActive && m.HasPlace
            && (all || !m.WasNamed || m.Moved(_options.PositionStepM, _options.VelocityStepMps));

        private void MarkSent(bool keyframe)
        {
            for (int i = 0; i < _npcList.Count; i++)
            {
                Npc n = _npcList[i];
                if (IsNamed(n, keyframe) || (n.HasNews && n.IsSpawned && n.IsActive && n.HasPlace))
                {
                    n.TickSent();
                }
            }
            for (int i = 0; i < _playerList.Count; i++)
            {
                if (IsNamed(_playerList[i], keyframe))
                {
                    _playerList[i].Sent();
                }
            }
            if (keyframe)
            {
                _keyframeIsDue = false;
                _rewinds = false;
                _nextKeyframeS = _nowS + _options.KeyframeIntervalS;
            }
            LastTickBytes = _tick.Count;
            TicksSent++;
            _tickSentAtS[_tickNumber & 255] = _nowS;
            _tickNumber++;
        }
    }
}
