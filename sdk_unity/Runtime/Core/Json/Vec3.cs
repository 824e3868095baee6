namespace Callsheet.Wire
{
    /// <summary>A position in metres or a velocity in metres per second.</summary>
    public readonly struct Vec3
    {
        /// <summary>Makes a vector of its three parts.</summary>
        public Vec3(double x, double y, double z)
        {
            X = x;
            Y = y;
            Z = z;
        }

        /// <summary>To the right, in a world whose y points up.</summary>
        public double X { get; }

        /// <summary>Up.</summary>
        public double Y { get; }

        /// <summary>The third axis.</summary>
        public double Z { get; }

        public override string ToString() => "(" + X + ", " + Y + ", " + Z + ")";
    }
}
