namespace Callsheet.Wire
{
    /// <summary>A position in metres or a velocity in metres per second.</summary>
    public readonly struct Vec3
    {
        public Vec3(double x, double y, double z)
        {
            X = x;
            Y = y;
            Z = z;
        }

        public double X { get; }

        public double Y { get; }

        public double Z { get; }

        public override string ToString() => "(" + X + ", " + Y + ", " + Z + ")";
    }
}
