using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>A player of a <see cref="GameWorld"/>.</summary>
    public sealed class Player : Mover
    {
        internal Player(PlayerSpec spec)
            : base(spec.Player)
        {
            Spec = new PlayerSpec { Player = spec.Player, Name = spec.Name, Position = spec.Position };
        }

        /// <summary>As NPCs know it.</summary>
        public string Name => Spec.Name;

        internal PlayerSpec Spec { get; }
    }
}
