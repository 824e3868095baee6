namespace UnityEngine
{
    public enum LightType
    {
        Spot = 0,
        Directional = 1,
        Point = 2,
        Rectangle = 3,
        Disc = 4,
    }

    public enum TextAnchor
    {
        UpperLeft = 0,
        UpperCenter = 1,
        UpperRight = 2,
        MiddleLeft = 3,
        MiddleCenter = 4,
        MiddleRight = 5,
        LowerLeft = 6,
        LowerCenter = 7,
        LowerRight = 8,
    }

    public sealed class Light : Behaviour
    {
        public LightType type { get; set; }
    }

    public sealed class Camera : Behaviour
    {
    }

    public sealed class TextMesh : Component
    {
        public string text { get; set; }

        public float characterSize { get; set; }

        public TextAnchor anchor { get; set; }
    }
}
