using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>Tells the server who is in the world, in batches that keep to its limits.</summary>
    internal sealed class Spawner
    {
        /// <summary>JSON text of one spec at most: six bytes for a character, plus names, numbers and schedule.</summary>
        private const int BytesPerChar = 6;
        private const int BytesPerSpec = 512;
        private const int BytesPerCall = 64;

        private readonly Session _session;
        private readonly List<Npc> _newNpcs = new List<Npc>();
        private readonly List<Player> _newPlayers = new List<Player>();
        private readonly List<string> _goneNpcs = new List<string>();
        private readonly List<string> _gonePlayers = new List<string>();
        private readonly HashSet<Mover> _underWay = new HashSet<Mover>();
        private readonly JsonWriter _writer = new JsonWriter();

        internal Spawner(Session session)
        {
            _session = session;
        }

        /// <summary>Throws if the protocol does not allow the message.</summary>
        internal void Check(SpawnMessage message)
        {
            message.Id = 1;
            _writer.Begin(message.Type);
            message.WriteFields(_writer);
        }

        internal void Add(Npc npc) => _newNpcs.Add(npc);

        internal void Add(Player player) => _newPlayers.Add(player);

        internal void Remove(Npc npc)
        {
            if (!_newNpcs.Remove(npc))
            {
                _goneNpcs.Add(npc.Id);
            }
            Forget(npc);
        }

        internal void Remove(Player player)
        {
            if (!_newPlayers.Remove(player))
            {
                _gonePlayers.Add(player.Id);
            }
            Forget(player);
        }

        /// <summary>True if the server was asked to spawn it and has not answered.</summary>
        internal bool IsUnderWay(Mover mover) => _underWay.Contains(mover);

        /// <summary>A new session: everybody is to be spawned again, and nobody removed.</summary>
        internal void Restart(List<Npc> npcs, List<Player> players)
        {
            _goneNpcs.Clear();
            _gonePlayers.Clear();
            _underWay.Clear();
            _newNpcs.Clear();
            _newPlayers.Clear();
            _newNpcs.AddRange(npcs);
            _newPlayers.AddRange(players);
            foreach (Npc npc in npcs)
            {
                npc.IsSpawned = false;
                npc.LastState = null;
            }
            foreach (Player player in players)
            {
                player.IsSpawned = false;
            }
        }

        /// <summary>Sends what was added and removed since the last time.</summary>
        internal void Flush()
        {
            if (_goneNpcs.Count > 0 || _gonePlayers.Count > 0)
            {
                _session.Request(new DespawnMessage { Npcs = _goneNpcs.ToArray(), Players = _gonePlayers.ToArray() }, null, true);
                _goneNpcs.Clear();
                _gonePlayers.Clear();
            }
            if (_newNpcs.Count == 0 && _newPlayers.Count == 0)
            {
                return;
            }
            int maxNpcs = (int)_session.Welcome.Limits.MaxNpcsPerSpawn;
            long maxBytes = _session.Welcome.Limits.MaxMessageBytes;
            var npcs = new List<Npc>();
            long bytes = BytesPerSpec * (_newPlayers.Count + 1);
            foreach (Npc npc in _newNpcs)
            {
                long size = Size(npc.Spec);
                if (npcs.Count == maxNpcs || (npcs.Count > 0 && bytes + size > maxBytes))
                {
                    Send(npcs, _newPlayers);
                    npcs.Clear();
                    _newPlayers.Clear();
                    bytes = BytesPerSpec;
                }
                npcs.Add(npc);
                bytes += size;
            }
            Send(npcs, _newPlayers);
            _newNpcs.Clear();
            _newPlayers.Clear();
        }

        private static long Size(NpcSpec spec) =>
            BytesPerSpec + (BytesPerChar * (spec.Persona.Length + spec.Name.Length)) + (BytesPerCall * spec.Schedule.Length);

        private void Send(List<Npc> npcs, List<Player> players)
        {
            var batch = new Batch(this, npcs.ToArray(), players.ToArray());
            var message = new SpawnMessage
            {
                Npcs = System.Array.ConvertAll(batch.Npcs, n => Placed(n)),
                Players = System.Array.ConvertAll(batch.Players, p => Placed(p)),
            };
            _underWay.UnionWith(batch.Npcs);
            _underWay.UnionWith(batch.Players);
            _session.Request(message, batch, true);
        }

        private static NpcSpec Placed(Npc npc)
        {
            npc.Spec.Position = npc.HasPlace && npc.IsActive ? new Vec3(npc.X, npc.Y, npc.Z) : npc.Spec.Position;
            return npc.Spec;
        }

        private static PlayerSpec Placed(Player player)
        {
            player.Spec.Position = player.HasPlace && player.IsActive ? new Vec3(player.X, player.Y, player.Z) : player.Spec.Position;
            return player.Spec;
        }

        private void Forget(Mover mover)
        {
            _underWay.Remove(mover);
            mover.IsSpawned = false;
        }

        /// <summary>One spawn request and whom it is about.</summary>
        private sealed class Batch : IRequestHandler
        {
            private readonly Spawner _owner;

            internal Batch(Spawner owner, Npc[] npcs, Player[] players)
            {
                _owner = owner;
                Npcs = npcs;
                Players = players;
            }

            internal Npc[] Npcs { get; }

            internal Player[] Players { get; }

            public void OnSent(long id)
            {
            }

            public void OnMessage(ServerMessage message)
            {
                var spawned = (SpawnedMessage)message;
                for (int i = 0; i < Npcs.Length && i < spawned.Npcs.Length; i++)
                {
                    Arrived(Npcs[i], spawned.Npcs[i].Handle);
                }
                for (int i = 0; i < Players.Length && i < spawned.Players.Length; i++)
                {
                    Arrived(Players[i], spawned.Players[i].Handle);
                }
            }

            /// <summary>The session raises the error; nobody of the batch is in the world.</summary>
            public void OnFailed(CallsheetError error)
            {
                _owner._underWay.ExceptWith(Npcs);
                _owner._underWay.ExceptWith(Players);
            }

            private void Arrived(Mover mover, uint handle)
            {
                // Who was removed meanwhile, or is being told anew in a later session, is not under way.
                if (_owner._underWay.Remove(mover))
                {
                    mover.Handle = handle;
                    mover.IsSpawned = true;
                    mover.WasNamed = false;
                }
            }
        }
    }
}
